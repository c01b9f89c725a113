/**
 * The sentinel of silence can fail: a secret that is let slip in any kind of place is found there,
 * whole or in part.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createSigningKey, unwrapSigningKey } from '../../src/auth/keys/wrapped-key.js';
import { createPrivateKey } from 'node:crypto';
import { freshDatabase, freshRedisUrl } from '../support/node-process.js';
import { sweep } from '../support/sentinel.mjs';

const SECRET_KEY = randomBytes(32).toString('base64url');
const JWT = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(JSON.stringify({ sub: randomUUID() })).toString('base64url')}.${randomBytes(64).toString('base64url')}`;
const PASSWORD = `pw-${randomBytes(16).toString('base64url')}`;
/** A ticket that nobody was given. */
const MADE_UP = `wr_tk_${'x'.repeat(43)}`;
const REFRESH = `wr_rt_${randomBytes(69).toString('base64url')}`;

let folder: string;
let databaseUrl: string;
let redisUrl: string;
let postgres: pg.Client;
let redis: Redis;
let privateKey: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardroom-sentinel-'));
  for (const name of ['logs', 'secrets']) mkdirSync(join(folder, name));
  const used = [
    ['jwt', JWT],
    ['password', PASSWORD],
    ['wr_rt', REFRESH],
    ['SECRET_KEY', SECRET_KEY],
    ['wr_tk', MADE_UP],
  ];
  writeFileSync(
    join(folder, 'secrets', 'secrets'),
    used.map((one) => JSON.stringify(one)).join('\n'),
  );
  databaseUrl = await freshDatabase();
  redisUrl = await freshRedisUrl();
  postgres = new pg.Client({ connectionString: databaseUrl });
  await postgres.connect();
  await postgres.query(
    'CREATE TABLE audit_events (code text, note text); CREATE TABLE sessions (id int, box bytea, more jsonb)',
  );
  await postgres.query('CREATE TABLE signing_keys (kid text, wrapped bytea)');
  const { kid, wrapped } = await createSigningKey(SECRET_KEY, new Date(0));
  await postgres.query('INSERT INTO signing_keys VALUES ($1, $2)', [kid, wrapped]);
  const pkcs8 = unwrapSigningKey({ kid, wrapped: wrapped as Uint8Array }, [SECRET_KEY])!;
  privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'jwk',
  }).d!;
  redis = new Redis(redisUrl);
  await cleared();
}, 60_000);

afterAll(async () => {
  redis.disconnect();
  await postgres.end();
  rmSync(folder, { recursive: true });
});

/** Values that are in good order: hashes, ids, long texts, another key's private half. */
async function cleared(): Promise<void> {
  const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(
    join(folder, 'logs', 'node.log'),
    `{"level":"info","msg":"request ${'x'.repeat(100)}","session":"${randomUUID()}"}\n`,
  );
  writeFileSync(join(folder, 'secrets', 'metrics-a'), 'wardroom_connections{state="live"} 3\n');
  writeFileSync(join(folder, 'secrets', 'said-1'), '{"code":"auth_invalid","action":"login"}\n');
  await postgres.query('TRUNCATE audit_events; TRUNCATE sessions');
  await postgres.query('INSERT INTO sessions VALUES (1, $1, $2)', [
    randomBytes(32),
    JSON.stringify(other.export({ format: 'jwk' })),
  ]);
  await redis.flushall();
  await redis.set('ticket', randomBytes(32).toString('hex'));
}

async function finds(): Promise<string[]> {
  const verdict = await sweep({
    secretsDir: join(folder, 'secrets'),
    logDir: join(folder, 'logs'),
    databaseUrls: [databaseUrl],
    redisUrl,
  });
  return Object.keys(verdict.finds);
}

describe('the sentinel', () => {
  test('finds nothing where nothing was let slip, and has looked', async () => {
    const verdict = await sweep({
      secretsDir: join(folder, 'secrets'),
      logDir: join(folder, 'logs'),
      databaseUrls: [databaseUrl],
      redisUrl,
    });
    expect(verdict).toMatchObject({ finds: {}, databases: 1 });
    expect(verdict.secrets).toBeGreaterThan(4);
    expect(verdict.bytes).toBeGreaterThan(300);
  });

  test.each<[string, string, () => unknown]>([
    [
      'a line of log',
      'password in log node.log',
      () => writeFileSync(join(folder, 'logs', 'node.log'), `{"msg":"login ${PASSWORD}"}`),
    ],
    [
      'a stack trace without a break before it',
      'jwt in log node.log',
      () => writeFileSync(join(folder, 'logs', 'node.log'), `xx${JWT}yy`),
    ],
    [
      'a label of a metric',
      'wr_rt in metrics-a',
      () => writeFileSync(join(folder, 'secrets', 'metrics-a'), `wardroom_x{token="${REFRESH}"} 1`),
    ],
    [
      'a problem or a close reason',
      'jwt in said-1',
      () =>
        writeFileSync(
          join(folder, 'secrets', 'said-1'),
          JSON.stringify({ detail: `bad token ${JWT}` }),
        ),
    ],
    [
      'a record of the audit',
      'password in Postgres audit_events',
      () =>
        postgres.query('INSERT INTO audit_events VALUES ($1, $2)', ['login', `tried ${PASSWORD}`]),
    ],
    [
      'bytes of a table',
      'wr_rt in Postgres sessions',
      () => postgres.query('INSERT INTO sessions VALUES (2, $1, null)', [Buffer.from(REFRESH)]),
    ],
    [
      'JSON of a table',
      'jwt in Postgres sessions',
      () =>
        postgres.query('INSERT INTO sessions VALUES (2, null, $1)', [JSON.stringify({ a: [JWT] })]),
    ],
    [
      'a signing key that is not sealed',
      'private key in Postgres sessions',
      () =>
        postgres.query('INSERT INTO sessions VALUES (2, $1, null)', [
          Buffer.from(privateKey, 'base64url'),
        ]),
    ],
    ['a key of Redis', 'jwt in Redis', () => redis.set(`blocked:${JWT}`, 1)],
    ['a value of Redis', 'wr_rt in Redis', () => redis.set('a', REFRESH)],
    ['a hash of Redis', 'password in Redis', () => redis.hset('h', 'field', PASSWORD)],
    [
      'a stream of Redis',
      'jwt in Redis',
      () => redis.xadd('s', '*', 'event', JSON.stringify({ token: JWT })),
    ],
    ['a list of Redis', 'jwt in Redis', () => redis.rpush('l', JWT)],
    ['a sorted set of Redis', 'jwt in Redis', () => redis.zadd('z', 1, JWT)],
    [
      'the signature alone',
      'jwt in log node.log',
      () => writeFileSync(join(folder, 'logs', 'node.log'), JWT.split('.')[2]!),
    ],
    [
      'the first half of a secret',
      'wr_rt in log node.log',
      () => writeFileSync(join(folder, 'logs', 'node.log'), REFRESH.slice(0, 49)),
    ],
    [
      'the last half of a secret',
      'wr_rt in log node.log',
      () => writeFileSync(join(folder, 'logs', 'node.log'), REFRESH.slice(-49)),
    ],
    [
      'base64',
      'password in log node.log',
      () =>
        writeFileSync(join(folder, 'logs', 'node.log'), Buffer.from(PASSWORD).toString('base64')),
    ],
  ])('finds one in %s', async (_, find, leak) => {
    await cleared();
    await leak();
    expect(await finds()).toEqual([find]);
  });
});
