/**
 * A driver for the shared harness of the field (load generator in C, one driver per peer), so that
 * anyone can repeat a measurement beside all its peers: `node bench.mjs --drivers <this file>
 * --peers ws-frame,ws-batch,wardroom-signal,...`. `signal` is a transient frame, as what the peers
 * do; `durable` a publish that is acknowledged after the commit. Stores start once, pinned to
 * STORES_CORE (1), and end with the runner. Build first (`npm run build`).
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ADMIN,
  SPARE_SETS,
  SPARE_USERS,
  USERS,
  minter,
  nodeCommand,
  nodeEnvironment,
  project,
  sessionId,
  writeTokens,
} from './seed.mjs';

let world;
let mint;
let run = 0;

/** The seeding process ends when its stdin does, that is with the runner, however that ends. */
async function prepare() {
  if (world !== undefined) return;
  const child = spawn(process.execPath, [fileURLToPath(new URL('./seed.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
    child.once('exit', (code) => reject(new Error(`seed.mjs ended with ${code}`)));
  });
  for (const handle of [child, child.stdin, child.stdout])
    /** @type {import('node:net').Socket} */ (handle).unref();
  world = JSON.parse(line);
  mint = await minter(world);
}

/** An ended session does not come back: the users who are ended have another one in each run. */
const setOf = (user) => (user < SPARE_USERS ? run % SPARE_SETS : 0);

let forwarder;

/**
 * Sessions are named by id, which the load generator cannot write: this turns `/end/7` into the
 * call of an admin.
 */
function ender(nodePort) {
  forwarder?.close().closeAllConnections();
  forwarder = createServer((request, response) => {
    const user = Number(request.url.split('/')[2]);
    void fetch(`http://127.0.0.1:${nodePort}/v1/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${mint(ADMIN)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ session: sessionId(user, setOf(user)), reason: 'bench' }),
    }).then(
      (answer) => response.writeHead(answer.status).end(),
      () => response.writeHead(502).end(),
    );
  }).listen(nodePort + 500, '127.0.0.1');
  forwarder.unref();
  return { port: nodePort + 500, request: 'GET /end/{u} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' };
}

const driver = (publish, redis) => ({
  algs: ['ES256'],
  auth: 'JWT in the Authorization header of the handshake',
  version: () =>
    `wardroom ${JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).version}, node ${process.version}`,
  prepare,
  redis,
  /** They live 15 minutes: new ones for every run. */
  tokens: () => writeTokens(mint, join(world.dir, 'tokens.txt'), [...Array(USERS).keys()], setOf),
  server: ({ port, redis: redisPort }) => {
    run += 1;
    const env = {
      ...nodeEnvironment(world, port),
      ...(redis ? { REDIS_URL: `redis://127.0.0.1:${redisPort}` } : {}),
    };
    const { cmd, args } = nodeCommand();
    return {
      cmd,
      args: [...(process.env.NODE_PROFILE ?? '').split(' ').filter(Boolean), ...args],
      cwd: world.dir,
      env,
    };
  },
  client: {
    path: '/v1/ws',
    headers: ['Authorization: Bearer {token}'],
    sub: [
      ['send', '{"type":"subscribe","room":"{room}"}'],
      ['expect', '"subscribed"'],
    ],
    pub: [['expect', '"auth_ok"']],
    /** An `op_id` is used once in the life of a room: the number of the run goes into it. */
    get publish() {
      return publish(run);
    },
  },
  disconnect: ender,
});

const signal = () => '{"type":"signal","room":"{room}","kind":"text","body":"{pay}"}';
const durable = (n) =>
  `{"type":"publish","room":"{room}","op_id":"${process.pid}-${n}-{seq}","body":"{pay}"}`;

export default {
  'wardroom-signal': driver(signal, false),
  'wardroom-durable': driver(durable, false),
  'wardroom-signal-redis': driver(signal, true),
  'wardroom-durable-redis': driver(durable, true),
};
