/**
 * The measured servers: how each starts and what its clients send. `tail`: bytes between the
 * payload and the end of a message. `beside`: processes that run with it, unmeasured.
 */
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeCommand, nodeEnvironment, project } from '../seed.mjs';

const bearer = ['Authorization: Bearer {token}'];

const node =
  (file, env) =>
  ({ port, world }) => ({
    cmd: process.execPath,
    args: [fileURLToPath(new URL(`../peers/${file}`, import.meta.url))],
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      PUBLIC_KEY: createPublicKey({ key: world.publicJwk, format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      }),
      ...env,
    },
  });

const bare = (mode, what) => ({
  what,
  version: () => `ws ${versionOf('ws')}`,
  server: node('bare-ws.mjs', { MODE: mode }),
  client: {
    path: '/',
    headers: bearer,
    subscriberScript: [{ send: '{"type":"join","room":"{room}"}' }, { expect: '"joined"' }],
    publisherScript: [],
    publish: '{"type":"publish","room":"{room}","body":"{pay}"}',
    tail: 2,
  },
});

function ourNode({ port, world, flags = [] }) {
  const { cmd, args } = nodeCommand();
  return { cmd, args: [...flags, ...args], env: nodeEnvironment(world, port) };
}

const wardroom = (what, publish, more = {}) => ({
  what,
  ours: true,
  version: () =>
    `wardroom ${JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).version}`,
  server: ourNode,
  client: {
    path: '/v1/ws',
    headers: bearer,
    subscriberScript: [
      { send: '{"type":"subscribe","room":"{room}"{since}}' },
      { expect: '"subscribed"' },
    ],
    publisherScript: [{ expect: '"auth_ok"' }],
    publish,
    tail: 2,
    ...more,
  },
});

const SIGNAL = '{"type":"signal","room":"{room}","kind":"text","body":"{pay}"}';
const PUBLISH = '{"type":"publish","room":"{room}","op_id":"{run}-{seq}","body":"{pay}"}';

const NATS_HELLO =
  'CONNECT {"verbose":false,"pedantic":false,"protocol":1,"auth_token":"bench-token"}\r\n';

export const peers = {
  'ws-naive': bare('naive', '`client.send(text)` in a loop'),
  /**
   * Costs of the machine, and not of our handling of a message: lease rounds of Postgres run on the
   * core of the load.
   */
  'ws-naive-beside': {
    ...bare(
      'naive',
      'ws-naive, while an idle Wardroom node with its stores runs on the same two cores',
    ),
    beside: ourNode,
  },
  'ws-framed': bare('framed', 'one frame per message, one write per member'),
  'ws-batched': bare('batched', 'framed, and one write per member, room and turn'),
  'ws-redis': {
    ...bare('framed', 'ws-framed on nodes that hear each other through a Redis channel per room'),
    server: (ctx) => node('bare-ws.mjs', { MODE: 'framed', REDIS_URL: ctx.world.redisUrl })(ctx),
  },
  'socket.io': {
    what: 'WebSocket only, rooms',
    version: () => `socket.io ${createRequire(peersFile())('socket.io/package.json').version}`,
    missing: installSocketIo,
    server: (ctx) => node('socket-io.mjs', { PEERS_DIR: peersFile() })(ctx),
    client: {
      path: '/socket.io/?EIO=4&transport=websocket',
      headers: [],
      subscriberScript: [
        { expect: '0{' },
        { send: '40{"token":"{token}"}' },
        { expect: '40{' },
        { send: '420["join","{room}"]' },
        { expect: '430[' },
      ],
      publisherScript: [{ expect: '0{' }, { send: '40{"token":"{token}"}' }, { expect: '40{' }],
      publish: '42["publish","{room}","{pay}"]',
      ping: '2',
      pong: '3',
      tail: 3,
    },
  },
  'nest-tutorial': {
    what: 'platform-ws gateway as tutorials write it',
    version: () => `@nestjs/platform-ws ${versionOf('@nestjs/platform-ws')}`,
    server: node('tutorial-nest.mjs', {}),
    client: {
      path: '/ws',
      headers: bearer,
      subscriberScript: [
        { expect: 'welcome' },
        { send: '{"event":"join","data":{"room":"{room}"}}' },
        { expect: '"joined"' },
      ],
      publisherScript: [{ expect: 'welcome' }],
      publish: '{"event":"publish","data":{"room":"{room}","body":"{pay}"}}',
      tail: 3,
    },
  },
  nats: {
    what: 'subject per room, shared token, WebSocket without TLS',
    version: () =>
      spawnSync('nats-server', ['--version'], { encoding: 'utf8' })
        .stdout.trim()
        .replace(': v', ' '),
    missing: () =>
      spawnSync('nats-server', ['--version']).status === 0
        ? undefined
        : 'nats-server is not installed',
    server: ({ port, world }) => {
      const file = join(world.dir, `nats-${port}.conf`);
      const websocket = `websocket { host: 127.0.0.1, port: ${port}, no_tls: true, compression: false }`;
      writeFileSync(
        file,
        `host: 127.0.0.1\nport: ${port + 1000}\nmax_connections: 64000\nmax_pending: 268435456\n${websocket}\nauthorization { token: "bench-token" }\n`,
      );
      return { cmd: 'nats-server', args: ['-c', file], env: {} };
    },
    client: {
      path: '/',
      headers: [],
      binary: true,
      scan: true,
      subscriberScript: [{ send: `${NATS_HELLO}SUB {room} 1\r\nPING\r\n` }, { expect: 'PONG' }],
      publisherScript: [{ send: `${NATS_HELLO}PING\r\n` }, { expect: 'PONG' }],
      publish: 'PUB {room} 128\r\n{pay}\r\n',
      ping: 'PING\r\n',
      pong: 'PONG\r\n',
      tail: 2,
    },
  },
  'wardroom-signal': wardroom(
    'a transient `signal`: policy, lease and expiry checked, not stored',
    SIGNAL,
  ),
  'wardroom-durable': wardroom(
    'a `publish`: committed to Postgres, numbered, acknowledged, delivered',
    PUBLISH,
    {
      ack: '"op_id":"[^"]*-(\\d+)"',
      recovers: true,
    },
  ),
  'wardroom-sdk': {
    ...wardroom('the same by clients of the SDK with its defaults', PUBLISH),
    generator: 'sdk',
  },
};

function versionOf(name) {
  return JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  ).version;
}

/**
 * Packages of peers that the project does not use live in a folder of their own, kept between runs.
 */
function peersFile() {
  return join(process.env.BENCH_WORK ?? join(tmpdir(), 'wardroom-bench-peers'), 'package.json');
}

function installSocketIo() {
  const file = peersFile();
  const dir = join(file, '..');
  if (existsSync(join(dir, 'node_modules/socket.io'))) return undefined;
  mkdirSync(dir, { recursive: true });
  writeFileSync(file, '{ "private": true }\n');
  const run = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', 'socket.io@4'],
    { cwd: dir, stdio: 'ignore', timeout: 120_000 },
  );
  return run.status === 0 ? undefined : 'npm could not install socket.io';
}
