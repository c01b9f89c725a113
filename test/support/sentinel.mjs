/**
 * The sentinel of silence (promise P6): no secret that a run used stands in a log, a metric, an
 * answer to a refusal, a close reason, a row of Postgres or a value of Redis. It looks for any
 * twelve bytes from the start, the middle and the end of a secret, so a part of it is found too,
 * and for its hex, base64 and URL forms. A find names kind and place, not the secret.
 */
import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { unwrapSigningKey } from '../../dist/auth/keys/wrapped-key.js';

const WINDOW = 12;
const BASE = 16_777_619;
const BITS = 22;

export class Sentinel {
  /** Hash of each window, as a bit. */
  filter = new Uint8Array(2 ** (BITS - 3));
  /** @type {Map<string, string>} window to kind */
  windows = new Map();
  bytes = 0;
  /** @type {Map<string, number>} "kind in place" to how often */
  finds = new Map();

  /** @param {Iterable<[kind: string, secret: string]>} secrets */
  constructor(secrets) {
    for (const [kind, secret] of secrets)
      for (const form of formsOf(secret)) this.#watch(kind, Buffer.from(form, 'latin1'));
  }

  #watch(kind, form) {
    for (const at of [0, (form.length - WINDOW) >> 1, form.length - WINDOW]) {
      if (at < 0) continue;
      const window = form.latin1Slice(at, at + WINDOW);
      // A made-up token of one letter stands in any long text; no secret of a server is like that.
      if (window === window[0].repeat(WINDOW)) continue;
      const bit = hashOf(form, at) >>> (32 - BITS);
      this.filter[bit >> 3] |= 1 << (bit & 7);
      this.windows.set(window, kind);
    }
  }

  /** @param {string} place @param {string | Buffer} content */
  search(place, content) {
    const text = Buffer.from(content);
    this.bytes += text.length;
    if (text.length < WINDOW) return;
    let hash = hashOf(text, 0);
    for (let at = 0; ; at += 1) {
      const bit = hash >>> (32 - BITS);
      if ((this.filter[bit >> 3] & (1 << (bit & 7))) !== 0) {
        const kind = this.windows.get(text.latin1Slice(at, at + WINDOW));
        if (kind !== undefined)
          this.finds.set(`${kind} in ${place}`, (this.finds.get(`${kind} in ${place}`) ?? 0) + 1);
      }
      if (at + WINDOW >= text.length) return;
      hash = Math.imul((hash - Math.imul(text[at], LEAVING)) | 0, BASE) + text[at + WINDOW];
    }
  }

  searchFolder(place, folder) {
    for (const file of existsSync(folder) ? readdirSync(folder) : [])
      this.search(`${place} ${file}`, readFileSync(join(folder, file)));
  }

  /** Every row of every table, as text. */
  async searchPostgres(place, url) {
    await withPostgres(url, async (client) => {
      for (const table of await tablesOf(client)) {
        const { rows } = await client.query(
          `SELECT t::text AS line FROM ${client.escapeIdentifier(table)} t`,
        );
        this.search(`${place} ${table}`, rows.map(({ line }) => line).join('\n'));
      }
    });
  }

  async searchRedis(place, url) {
    this.search(place, await readRedis(url));
  }
}

const LEAVING = Array.from({ length: WINDOW - 1 }).reduce((power) => Math.imul(power, BASE), 1);

function hashOf(bytes, from) {
  let hash = 0;
  for (let i = from; i < from + WINDOW; i += 1) hash = (Math.imul(hash, BASE) + bytes[i]) | 0;
  return hash;
}

/**
 * A JWT's header is public, its payload and its signature are as good as the whole; Postgres shows
 * bytes as hex.
 */
function formsOf(secret) {
  const parts = secret.startsWith('eyJ') ? secret.split('.').slice(1) : [secret];
  return parts.flatMap((part) => {
    const bytes = Buffer.from(part);
    return [
      bytes.toString('latin1'),
      bytes.toString('hex'),
      bytes.toString('base64'),
      encodeURIComponent(part),
    ];
  });
}

async function withPostgres(url, act) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

async function tablesOf(client) {
  const { rows } = await client.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
  );
  return rows.map(({ tablename }) => tablename);
}

/** All keys with all they hold, as one text. */
export async function readRedis(url) {
  const redis = new Redis(url, {
    connectTimeout: 1_000,
    commandTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const lines = [];
    for await (const keys of redis.scanStream({ count: 500 })) {
      for (const key of keys)
        lines.push(JSON.stringify([key, await readKey(redis, key, await redis.type(key))]));
    }
    return lines.join('\n');
  } finally {
    redis.disconnect();
  }
}

function readKey(redis, key, type) {
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, 0, -1);
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return null; // gone meanwhile
  }
}

/** The private halves of a database's signing keys, which no test ever saw. */
export async function privateKeysIn(url, secretKeys) {
  return withPostgres(url, async (client) => {
    if (!(await tablesOf(client)).includes('signing_keys')) return [];
    const { rows } = await client.query('SELECT kid, wrapped FROM signing_keys');
    return rows.flatMap((row) => {
      const pkcs8 = unwrapSigningKey(row, secretKeys);
      if (pkcs8 === null) return [];
      const { d } = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
        format: 'jwk',
      });
      return ['hex', 'base64', 'base64url'].map((form) => [
        'private key',
        Buffer.from(d, 'base64url').toString(form),
      ]);
    });
  });
}

/** Over one whole run of jest, while its stores still live. */
export async function sweep({ secretsDir, logDir, databaseUrls, redisUrl }) {
  const file = join(secretsDir, 'secrets');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const used = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  const secretKeys = used.filter(([kind]) => kind === 'SECRET_KEY').map(([, secret]) => secret);
  const keys = [];
  for (const url of databaseUrls) keys.push(...(await privateKeysIn(url, secretKeys)));
  const secrets = [...used, ...keys];
  const sentinel = new Sentinel(secrets);
  sentinel.searchFolder('log', logDir);
  for (const name of readdirSync(secretsDir).filter((name) => name !== 'secrets'))
    sentinel.search(name, readFileSync(join(secretsDir, name)));
  for (const url of databaseUrls) await sentinel.searchPostgres('Postgres', url);
  await sentinel.searchRedis('Redis', redisUrl);
  return {
    secrets: new Set(secrets.map(([, secret]) => secret)).size,
    bytes: sentinel.bytes,
    databases: databaseUrls.length,
    finds: Object.fromEntries(sentinel.finds),
  };
}
