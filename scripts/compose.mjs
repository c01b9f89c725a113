/**
 * `npm run test:compose`: runs docker-compose.yml as it stands, by Docker and Docker Compose, with
 * a `.env` made from .env.example: two nodes behind nginx with TLS, every drill against them, a
 * restart, and Prometheus beside them.
 *
 * No registry of images is asked. The image of the service is built from the Dockerfile (as by
 * `npm run test:image`). `postgres`, `valkey/valkey`, `nginx` and `prom/prometheus` are stand-ins
 * made of Debian's packages (image/stand-ins.mjs): the run prints which version stands in for
 * which. Nothing stands in for `grafana/grafana`, which Debian does not have: it is not started,
 * and that its tag exists is unchecked.
 *
 * Docker runs on a machine of its own (image/machine.mjs): Debian in namespaces, with its own
 * network, so that the file's ports and subnet meet nothing of the host. The drills run on the
 * host, in that network.
 *
 * Needs Linux, root, and Debian's buildah, debootstrap, util-linux and openssl; 4 GB of disk. Says
 * why when it cannot run, and exits with 2.
 *
 *   npm run test:compose [-- --keep --built]
 *
 * `--keep` leaves machine and images for the next run, `--built` takes the image of the service
 * that is there.
 */
import './lib/require-node.mjs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, folder as imageFolder, IMAGE, storage } from './image/build.mjs';
import { envFrom } from './image/env.mjs';
import { Machine } from './image/machine.mjs';
import { LATER_NGINX, makeStandIns } from './image/stand-ins.mjs';
import { expect, quietly, step, text, unable, until } from './image/steps.mjs';
import { stopChildren, stopOnSignals } from './lib/children.mjs';
import { ensureBuilt, ensureInstalled, root } from './lib/install.mjs';

const URL_OF_PROXY = 'https://localhost:8443';
/** Three nodes, their stores, Docker and the drills share one machine. */
const ALLOWANCE_MS = '1200';
const PROJECT = '/srv/wardroom';
const folder = join(tmpdir(), 'wardroom-compose');
const machine = new Machine(join(folder, 'machine'));
const project = join(machine.root, PROJECT);
const certificate = join(project, 'deploy/tls/fullchain.pem');
const secret = () => randomBytes(24).toString('base64url');
const OPERATOR = { email: 'operator@compose.test', password: secret() };

const problem = unable(['buildah', 'debootstrap', 'openssl', 'nsenter']);
if (problem !== undefined) {
  console.error(`The compose stack cannot run here: ${problem}.`);
  process.exit(2);
}
stopOnSignals(undefined, 1);
ensureInstalled();
try {
  if (!ensureBuilt()) throw new Error('the build failed');
  if (!process.argv.includes('--built')) await buildImage();
  await starts();
  await refusesWithoutSecrets();
  await standIns();
  await followsReadme();
  await runs();
  await restarts();
  await observes();
  await step('down', () => compose('down', '--volumes'));
  console.log('The compose stack gets healthy, passes every drill, restarts and is observed.');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
  if (!process.argv.includes('--keep'))
    for (const made of [folder, imageFolder]) rmSync(made, { recursive: true, force: true });
}

/** @param {...string} args */
function compose(...args) {
  const known = args[0] === 'up' ? ['--progress', 'plain'] : [];
  return machine.text(...composed(...known, ...args));
}

/** With every profile: what is asked for by name is started, and all of it is stopped. */
function composed(...args) {
  const profiles = ['--profile', 'cluster', '--profile', 'observability'];
  return ['docker', 'compose', '--project-directory', PROJECT, ...profiles, ...args];
}

async function starts() {
  mkdirSync(folder, { recursive: true });
  await step('a machine with Docker', async () => {
    machine.make();
    await machine.start();
  });
  const version = (...command) => machine.text('docker', ...command);
  console.log(
    `    Docker ${version('version', '--format', '{{.Server.Version}}')}, Compose ${version('compose', 'version', '--short')}`,
  );
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  for (const file of ['docker-compose.yml', 'deploy'])
    cpSync(join(root, file), join(project, file), { recursive: true });
}

/** There is no default secret. */
async function refusesWithoutSecrets() {
  await step('nothing starts without .env', () => {
    const { status, stderr } = machine.try(...composed('config', '--quiet'));
    expect([status === 0, /set it in \.env/.test(stderr)], [false, true]);
  });
}

async function standIns() {
  const values = {
    POSTGRES_PASSWORD: secret(),
    VALKEY_PASSWORD: secret(),
    SECRET_KEY: randomBytes(48).toString('base64'),
    PUBLIC_URL: URL_OF_PROXY,
    INTERNAL_HOST: '0.0.0.0',
    BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
    BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
  };
  const example = readFileSync(join(root, '.env.example'), 'utf8');
  writeFileSync(join(project, '.env'), envFrom(example, values), { mode: 0o600 });
  makeCertificate();
  compose('down', '--volumes', '--remove-orphans'); // of a run that was interrupted
  await step('images', () => {
    const archive = join(machine.root, 'srv/wardroom.tar');
    rmSync(archive, { force: true });
    const target = `docker-archive:${archive}:docker.io/library/wardroom:local`;
    quietly('buildah', ...storage, 'push', '--quiet', IMAGE, target);
    machine.text('docker', 'load', '--quiet', '--input', '/srv/wardroom.tar');
    rmSync(archive);
    const { services } = JSON.parse(compose('config', '--format', 'json'));
    const wanted = new Set(Object.values(services).map(({ image }) => String(image)));
    wanted.delete('wardroom:local');
    const without = makeStandIns(machine, [...wanted], folder);
    for (const image of without) console.log(`    ${image}: unchecked, nothing stands in`);
    expect(
      without.map((image) => image.split(':')[0]),
      ['grafana/grafana'],
    );
  });
}

/** Its commands for Docker, without `--build`: one node, and the operator is signed in. */
async function followsReadme() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const commands = /^With Docker,[^`]*```sh\n(.*?)```/ms.exec(readme)?.[1];
  if (commands === undefined) throw new Error('README.md has no commands for Docker');
  const copy = join(machine.root, 'srv/readme');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(root, 'docker-compose.yml'), join(copy, 'docker-compose.yml'));
  writeFileSync(
    join(copy, 'commands'),
    `set -e\ncd /srv/readme\n${commands.replace(' --build', '')}`,
  );
  await step('the commands of the README', () => {
    expect(
      Object.hasOwn(JSON.parse(machine.text('sh', '/srv/readme/commands')), 'access_token'),
      true,
    );
    machine.text('docker', 'compose', '--project-directory', '/srv/readme', 'down', '--volumes');
  });
}

function makeCertificate() {
  const tls = join(project, 'deploy/tls');
  mkdirSync(tls, { recursive: true });
  quietly(
    'openssl',
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'.split(
      ' ',
    ),
    ...['-addext', 'subjectAltName=DNS:localhost'],
    ...['-keyout', join(tls, 'privkey.pem'), '-out', certificate],
  );
}

async function runs() {
  await step('up, profile cluster', () =>
    up('app', 'postgres', 'valkey', 'node-a', 'node-b', 'proxy'),
  );
  await step('the daemon warns of nothing', () =>
    expect(machine.said().match(/^.*deprecated.*$/gm) ?? [], []),
  );
  await step('a later nginx reads the configuration too', () => {
    const { stderr } = machine.try(
      ...'docker run --rm --network wardroom_default --volume'.split(' '),
      `${PROJECT}/deploy:/etc/nginx/shipped:ro`,
      ...['--volume', `${PROJECT}/deploy/tls:/etc/nginx/tls:ro`, LATER_NGINX],
      ...['sh', '-c', 'nginx -v && nginx -t -c /etc/nginx/shipped/nginx.conf'],
    );
    console.log(`    ${stderr.trim().replaceAll('\n', '\n    ')}`);
    expect(/test is successful/.test(stderr) && !/warn|deprecated/.test(stderr), true);
  });
  await step('doctor, in a node', () =>
    machine.run(...composed('exec', '-T', 'node-a', 'node', 'cli/wardroom.mjs', 'doctor')),
  );
  await step('drills', () => drills());
  await step('nginx finds nodes that were made anew', () => remakes());
}

/** As an upgrade of all of them does. Their addresses must not have moved, or gone to another. */
function remakes() {
  up('--force-recreate', '--no-deps', 'app', 'node-a', 'node-b');
  const address = (node) => compose('exec', '-T', 'proxy', 'getent', 'hosts', node).split(' ')[0];
  const since = machine.text('date', '--iso-8601=seconds');
  for (let i = 0; i < 10; i += 1) inside(`${URL_OF_PROXY}/readyz`);
  const log = compose('logs', '--no-log-prefix', '--since', since, 'proxy');
  const asked = Array.from(log.matchAll(/upstream=([\d.]+):3000 200/g), ([, ip]) => ip);
  expect([...new Set(asked)].toSorted(), ['node-a', 'node-b'].map(address));
}

/** The answer to a GET of a program in the network of the machine. */
function inside(url) {
  const [command, ...args] = [...machine.network, 'env', `NODE_EXTRA_CA_CERTS=${certificate}`];
  const program = 'fetch(process.argv[1]).then((r) => r.text()).then(console.log)';
  return text(command, ...args, process.execPath, '-e', program, url);
}

/** Waits until each is healthy, or runs where it has no check. @param {...string} services */
function up(...services) {
  try {
    compose('up', '--detach', '--no-build', '--pull', 'never', '--wait', ...services);
  } catch (error) {
    console.error(compose('logs', '--tail', '50'), machine.said());
    throw error;
  }
}

/**
 * Those that failed beside the others are named and run once more, one by one: a bound is that of a
 * machine with nothing else to do.
 * @param {...string} options
 */
function drills(...options) {
  const evidence = join(folder, 'drills.json');
  rmSync(evidence, { force: true });
  const status = drill('--evidence', evidence, ...options);
  if (status === 0) return;
  expect(status, 1);
  const run = JSON.parse(readFileSync(evidence, 'utf8'));
  const failed = run.drills.filter(({ verdict }) => verdict !== 'passed').map(({ id }) => id);
  console.log(`    failed beside the others, once more: ${failed.join(', ')}`);
  for (const id of failed) expect([id, drill('--only', id)], [id, 0]);
}

/** Answers the exit code. @param {...string} options */
function drill(...options) {
  const [command, ...args] = [
    ...machine.network,
    ...[process.execPath, join(root, 'dist/drill.js'), '--url', URL_OF_PROXY],
    ...['--allowance-ms', ALLOWANCE_MS, ...options],
  ];
  return spawnSync(command, args, {
    stdio: 'inherit',
    env: {
      PATH: process.env.PATH,
      NODE_EXTRA_CA_CERTS: certificate,
      WARDROOM_OPERATOR_EMAIL: OPERATOR.email,
      WARDROOM_OPERATOR_PASSWORD: OPERATOR.password,
    },
  }).status;
}

/** Everything stops by itself, and what was stored is there afterwards. */
async function restarts() {
  const operator = idOfOperator();
  await step('stop', () => {
    compose('stop');
    const lines = compose('ps', '--all', '--format', '{{.Service}} {{.ExitCode}}').split('\n');
    expect(lines.toSorted(), [
      'app 0',
      'node-a 0',
      'node-b 0',
      'postgres 0',
      'proxy 0',
      'valkey 0',
    ]);
  });
  await step('start again', () => {
    up('node-a', 'node-b', 'proxy');
    expect(idOfOperator(), operator);
    drills('--only', 'D3,D8');
  });
}

function idOfOperator() {
  const query = `SELECT id FROM users WHERE email = '${OPERATOR.email}'`;
  const psql = [
    'psql',
    '--username',
    'wardroom',
    '--tuples-only',
    '--no-align',
    '--command',
    query,
  ];
  const id = compose('exec', '-T', 'postgres', ...psql);
  expect(id.length > 10, true);
  return id;
}

/** Prometheus of the profile `observability`, without Grafana. */
async function observes() {
  await step('up, profile observability without Grafana', () => up('app', 'prometheus'));
  await step('Prometheus scrapes every node', () =>
    until(
      'every node a target that is up',
      async () => {
        const { activeTargets } = prometheus('targets?state=active');
        const up = activeTargets.filter(({ health }) => health === 'up');
        return (
          up
            .map(({ labels }) => labels.instance)
            .toSorted()
            .join() === 'app,node-a,node-b'
        );
      },
      () => JSON.stringify(prometheus('targets?state=active'), undefined, 1),
    ),
  );
  await step('a query over the nodes answers', () => {
    const { result } = prometheus('query?query=wardroom_connections');
    expect(result.map(({ metric }) => metric.instance).toSorted(), ['app', 'node-a', 'node-b']);
  });
  await step('every alert rule is evaluated', () => {
    const wanted = readFileSync(join(root, 'deploy/observability/alerts.yml'), 'utf8').match(
      /- alert: /g,
    )?.length;
    const rules = () => prometheus('rules').groups.flatMap((group) => group.rules);
    return until(
      'every rule evaluated',
      async () => rules().filter(({ health }) => health === 'ok').length === wanted,
      () => JSON.stringify(rules().filter(({ health }) => health !== 'ok')),
    );
  });
}

function prometheus(path) {
  return JSON.parse(inside(`http://127.0.0.1:9090/api/v1/${path}`)).data;
}
