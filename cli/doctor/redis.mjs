/** Redis: version, role, policy, memory and persistence. */
import { Redis } from 'ioredis';
import { line } from '../checks.mjs';
import { printable } from '../client.mjs';

const PAGE = 'docs/operations.md#redis';
const PATIENCE_MS = 5_000;
const MEMORY_SHARE = 0.9;

export async function redisLines(redisUrl) {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // The call that fails says less.
  let trouble;
  redis.on('error', (error) => (trouble ??= error));
  try {
    await redis.connect();
    const info = infoOf(await redis.info());
    return [line('redis.reachable', 'ok', 'Redis answers.'), ...infoLines(info)];
  } catch (error) {
    return [
      line(
        'redis.reachable',
        'fail',
        `Redis cannot be used: ${printable((trouble ?? error).message)}`,
        {
          measured: 'refused',
          bound: 'an answer',
          page: PAGE,
        },
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** @param {string} text @returns {Record<string, string>} */
export const infoOf = (text) =>
  Object.fromEntries(
    text
      .split('\r\n')
      .filter((row) => row.includes(':'))
      .map((row) => [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 1)]),
  );

/** Nodes write with every message: a server that refuses writes is as good as none. */
export function infoLines(info) {
  const version = info.valkey_version ?? info.redis_version ?? '0';
  const policy = info.maxmemory_policy ?? 'unknown';
  const [used, max] = [Number(info.used_memory ?? 0), Number(info.maxmemory ?? 0)];
  const isFull = max > 0 && used > max * MEMORY_SHARE;
  const saving = `appendonly ${info.aof_enabled === '1' ? 'on' : 'off'}, last save ${info.rdb_last_bgsave_status ?? 'unknown'}`;
  const savesFail =
    info.rdb_last_bgsave_status === 'err' ||
    (info.aof_enabled === '1' && info.aof_last_write_status === 'err');
  return [
    line(
      'redis.version',
      Number.parseInt(version, 10) >= 7 ? 'ok' : 'fail',
      'Redis is new enough.',
      {
        measured: version,
        bound: '>= 7',
        page: 'docs/operations.md#what-it-needs',
      },
    ),
    line('redis.role', info.role === 'master' ? 'ok' : 'fail', 'Redis takes writes.', {
      measured: info.role ?? 'unknown',
      bound: 'master',
      page: PAGE,
    }),
    line(
      'redis.policy',
      policy === 'noeviction' ? 'ok' : policy === 'unknown' ? 'warn' : 'fail',
      'Redis drops no key by itself (maxmemory-policy).',
      { measured: policy, bound: 'noeviction', page: PAGE },
    ),
    line('redis.memory', isFull ? 'warn' : 'ok', 'Redis has memory left.', {
      measured: max === 0 ? `${used} bytes, no maxmemory` : `${Math.round((used / max) * 100)} %`,
      bound: `<= ${MEMORY_SHARE * 100} % of maxmemory`,
      page: PAGE,
    }),
    line(
      'redis.persistence',
      savesFail ? 'fail' : 'ok',
      'Saving does not fail; a Redis that cannot save refuses writes. Nothing in it has to survive.',
      { measured: saving, bound: 'no error', page: PAGE },
    ),
  ];
}
