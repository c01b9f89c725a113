/**
 * Images under the names that docker-compose.yml asks for, made of Debian's packages: the same
 * programs, with entry points that do what those of the published images do for this file.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debian } from './machine.mjs';
import { quietly } from './steps.mjs';

/** Debian's releases by what they bring; two images of one release share its layer. */
const RELEASES = {
  trixie: ['postgresql-17', 'valkey-server', 'valkey-tools', 'nginx'],
  forky: ['prometheus', 'nginx'],
};

const POSTGRES = '/usr/lib/postgresql/17/bin';

/**
 * `version`: the command that says it.
 * @typedef {{ suite: string, version: string[], lines: string[], entry?: string }} StandIn
 */

/** @type {Record<string, StandIn>} */
const STAND_INS = {
  postgres: {
    suite: 'trixie',
    version: [`${POSTGRES}/postgres`, '--version'],
    entry: 'postgres.sh',
    lines: [
      `ENV PATH=${POSTGRES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      'VOLUME /var/lib/postgresql/data',
      'STOPSIGNAL SIGINT',
      'CMD ["postgres"]',
    ],
  },
  'valkey/valkey': {
    suite: 'trixie',
    version: ['valkey-server', '--version'],
    entry: 'valkey.sh',
    lines: [
      'RUN mkdir /data && chown valkey:valkey /data',
      'VOLUME /data',
      'WORKDIR /data',
      'CMD ["valkey-server"]',
    ],
  },
  nginx: {
    suite: 'trixie',
    version: ['nginx', '-v'],
    lines: ['STOPSIGNAL SIGQUIT', 'CMD ["nginx", "-g", "daemon off;"]'],
  },
  'prom/prometheus': {
    suite: 'forky',
    version: ['prometheus', '--version'],
    lines: [
      'RUN mkdir -p /prometheus && chown nobody:nogroup /prometheus',
      'VOLUME /prometheus',
      'WORKDIR /prometheus',
      'USER nobody',
      'ENTRYPOINT ["/usr/bin/prometheus"]',
    ],
  },
};

/** The nginx of the later release: the shipped configuration is read by both. */
export const LATER_NGINX = 'wardroom-debian:forky';

/**
 * Makes those of `images` that have a stand-in, and says what stands in for each; the others are
 * returned.
 * @param {import('./machine.mjs').Machine} machine
 * @param {string[]} images
 */
export function makeStandIns(machine, images, folder) {
  for (const [suite, packages] of Object.entries(RELEASES)) makeRelease(machine, suite, packages);
  const unknown = [];
  for (const image of images) {
    const [, name] = /^(.*?):/.exec(image) ?? [image, image];
    const standIn = STAND_INS[name];
    if (standIn === undefined) unknown.push(image);
    else console.log(`    ${image}: ${makeImage(machine, image, standIn)}`);
  }
  return unknown;

  function makeRelease(machine, suite, packages) {
    const tag = `wardroom-debian:${suite}`;
    if (machine.try('docker', 'image', 'inspect', tag).status === 0) return;
    const rootfs = join(folder, suite);
    debian(rootfs, suite, packages);
    // a folder that both can see
    const inside = join(machine.root, 'srv/import.tar');
    quietly('tar', '-C', rootfs, '-cf', inside, '.');
    machine.text('docker', 'import', '/srv/import.tar', tag);
    rmSync(inside);
    rmSync(rootfs, { recursive: true, force: true });
  }
}

/**
 * Answers with the version that its program says.
 * @param {import('./machine.mjs').Machine} machine
 * @param {string} image
 * @param {StandIn} standIn
 */
function makeImage(machine, image, { suite, version, lines, entry }) {
  const context = join(machine.root, 'srv/context');
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  const lineOfEntry = [];
  if (entry !== undefined) {
    copyFileSync(new URL(`entry/${entry}`, import.meta.url), join(context, entry));
    lineOfEntry.push(`COPY ${entry} /usr/local/bin/`, `ENTRYPOINT ["${entry}"]`);
  }
  const file = [`FROM wardroom-debian:${suite}`, ...lineOfEntry, ...lines, ''].join('\n');
  writeFileSync(join(context, 'Dockerfile'), file);
  machine.text('env', 'DOCKER_BUILDKIT=0', 'docker', 'build', '--tag', image, '/srv/context');
  const [program, ...args] = version;
  const said = machine.try(
    ...'docker run --rm --network none --entrypoint'.split(' '),
    program,
    image,
    ...args,
  );
  return `${said.stdout}${said.stderr}`.trim().split('\n')[0];
}
