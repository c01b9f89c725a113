/**
 * The cost of refreshing and its times (promise P5), on one real node with fsync and an audit
 * record for every call: as many sessions as asked are refreshed as fast as the node answers, and
 * the moments at which they are to come back are put into 5-s bins. Then logins a second. No peer
 * does the same, so this is no question of `npm run bench`.
 *
 *   node bench/refresh/measure.mjs [--sessions 10000] [--beside 32] [--login-seconds 5]
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { hash } from '@node-rs/argon2';
import pg from 'pg';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { describeCommit, describeMachine } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import { nodeCommand, nodeEnvironment, openWorld, project, sessionId } from '../seed.mjs';
import { peakToMean } from './simulate.mjs';

const TTL_SECONDS = 300;
const PASSWORD = randomBytes(18).toString('base64url');
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '10000' },
    beside: { type: 'string', default: '32' },
    'login-seconds': { type: 'string', default: '5' },
  },
});
const [sessions, beside, loginSeconds] = [
  Number(values.sessions),
  Number(values.beside),
  Number(values['login-seconds']),
];
const agent = new Agent({ keepAlive: true, maxSockets: beside });

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  const tokens = await giveTokens(world);
  const port = await freePort();
  const env = {
    ...nodeEnvironment(world, port),
    ACCESS_TTL_SECONDS: String(TTL_SECONDS),
    LOGIN_FAILURES_PER_MINUTE: '0',
  };
  const server = await startServer(
    { ...nodeCommand(), env },
    { port, dir: world.dir, name: 'wardroom' },
  );
  const post = (path, body) => call(port, path, body);
  const refreshed = await refreshAll(post, tokens, server.pid);
  const logins = await signIn(post);
  await server.stop();
  console.log(
    JSON.stringify(
      {
        command: `node bench/refresh/measure.mjs --sessions ${sessions}`,
        machine: describeMachine(),
        commit: describeCommit(),
        refreshed,
        logins,
      },
      null,
      1,
    ),
  );
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  agent.destroy();
  await stopChildren();
}

/**
 * Gives the seeded sessions their first refresh token, as a login would have, and one user a
 * password.
 */
async function giveTokens(world) {
  const { mintRefreshToken, newRefreshFamily } = await import(
    pathToFileURL(join(project, 'dist/auth/tokens/refresh-token.js')).href
  );
  const made = Array.from({ length: sessions }, (_, i) => {
    const family = newRefreshFamily();
    return { family, token: mintRefreshToken(family, sessionId(i), 1) };
  });
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    const columns = [
      made.map(({ token }) => token.session),
      made.map(({ family }) => family),
      made.map(({ token }) => token.hash),
    ];
    await client.query(
      `UPDATE sessions s SET refresh_family = x.family, refresh_hash = x.hash
       FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS x (id, family, hash) WHERE s.id = x.id`,
      columns,
    );
    const password = await hash(Buffer.from(PASSWORD), {
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    });
    await client.query(`UPDATE users SET password_hash = $1 WHERE email LIKE 'u%@bench.test'`, [
      password,
    ]);
    await client.query('VACUUM ANALYZE sessions, users');
  } finally {
    await client.end();
  }
  return made.map(({ token }) => token.text);
}

async function refreshAll(post, tokens, pid) {
  const [moments, delays, took] = [[], [], []];
  const cpuBefore = cpuMs(pid);
  const startedMs = performance.now();
  await side(beside, tokens, async (refresh_token) => {
    const beganMs = performance.now();
    const { refresh_after_ms } = await post('/v1/auth/refresh', { refresh_token });
    const answeredMs = performance.now();
    took.push(answeredMs - beganMs);
    delays.push(refresh_after_ms);
    moments.push(answeredMs + refresh_after_ms);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    count: tokens.length,
    beside,
    seconds: round(seconds),
    per_second: Math.round(tokens.length / seconds),
    // Of the server alone: other load on the machine does not change it much.
    cpu_ms_each: round((cpuMs(pid) - cpuBefore) / tokens.length, 2),
    p50_ms: round(percentile(took, 0.5)),
    p99_ms: round(percentile(took, 0.99)),
    // As they came, and as if all had been minted at one moment: the time that the minting took
    // spreads them by itself.
    peak_to_mean_5s: {
      as_minted: round(peakToMean(moments), 3),
      as_if_at_once: round(peakToMean(delays), 3),
    },
  };
}

async function signIn(post) {
  const untilMs = performance.now() + loginSeconds * 1000;
  let count = 0;
  const users = Array.from({ length: beside }, (_, i) => i);
  const startedMs = performance.now();
  await side(beside, users, async (i) => {
    while (performance.now() < untilMs) {
      await post('/v1/auth/login', {
        tenant: 'bench',
        email: `u${i}@bench.test`,
        password: PASSWORD,
      });
      count += 1;
    }
  });
  return { count, per_second: Math.round(count / ((performance.now() - startedMs) / 1000)) };
}

/** `work` for each, so many beside each other. */
async function side(width, items, work) {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function call(port, path, body) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const out = request(
      { port, host: '127.0.0.1', path, method: 'POST', agent, headers },
      (answer) => {
        let received = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk) => (received += chunk));
        answer.on('end', () =>
          answer.statusCode === 200
            ? resolve(JSON.parse(received))
            : reject(new Error(`${path}: ${answer.statusCode} ${received}`)),
        );
      },
    );
    out.on('error', reject);
    out.end(text);
  });
}

/** User and system time of a process, from /proc, in ticks of 10 ms. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function round(value, digits = 1) {
  return Number(value.toFixed(digits));
}
