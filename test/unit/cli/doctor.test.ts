/** Verdicts of `wardroom doctor` over what was measured. */
import { expect, test } from '@jest/globals';
import { nodeLine } from '../../../cli/doctor/machine.mjs';
import { clocks, replicationLine } from '../../../cli/doctor/postgres.mjs';
import { infoLines, infoOf } from '../../../cli/doctor/redis.mjs';
import { expiryLine } from '../../../cli/doctor/tls.mjs';

const standbys = { count: 0, synchronous: 0, hidden: 0, names: '' };

test.each<[string, string, Partial<typeof standbys>]>([
  ['no standby', 'warn', {}],
  ['an asynchronous one', 'warn', { count: 1 }],
  ['a synchronous one', 'ok', { count: 1, synchronous: 1, names: 'b' }],
  ['one that is waited for and not there', 'fail', { names: 'b' }],
  ['one that the role may not see', 'warn', { count: 1, hidden: 1, names: 'b' }],
])('replication: %s is %s', (_name, verdict, found) => {
  expect(replicationLine({ ...standbys, ...found }).verdict).toBe(verdict);
});

const info = {
  redis_version: '7.2.4',
  role: 'master',
  maxmemory_policy: 'noeviction',
  maxmemory: '0',
  used_memory: '1000',
  aof_enabled: '0',
  rdb_last_bgsave_status: 'ok',
};

test.each<[string, string, Record<string, string>]>([
  ['redis.version', 'fail', { redis_version: '6.2.0' }],
  ['redis.version', 'ok', { redis_version: '7.2.4', valkey_version: '8.0.1' }],
  ['redis.role', 'fail', { role: 'slave' }],
  ['redis.policy', 'fail', { maxmemory_policy: 'allkeys-lru' }],
  ['redis.memory', 'warn', { maxmemory: '1050' }],
  ['redis.persistence', 'fail', { rdb_last_bgsave_status: 'err' }],
  ['redis.persistence', 'fail', { aof_enabled: '1', aof_last_write_status: 'err' }],
  ['redis.persistence', 'ok', { aof_last_write_status: 'err' }],
])('%s is %s', (id, verdict, found) => {
  expect(infoLines(info).map((line) => line.verdict)).toEqual(Array(5).fill('ok'));
  const lines = infoLines({ ...info, ...found });
  expect(lines.find((line) => line.id === id)).toMatchObject({ verdict });
});

test('INFO of Redis: values may hold colons', () => {
  expect(infoOf('# Server\r\nredis_version:7.0.15\r\nexecutable:C:/x\r\n')).toEqual({
    redis_version: '7.0.15',
    executable: 'C:/x',
  });
});

test.each<[number, string]>([
  [60, 'ok'],
  [13, 'warn'],
  [-1, 'fail'],
])('a certificate with %s days left is %s', (days, verdict) => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  const expiresAt = new Date(nowMs + days * 86_400_000);
  expect(expiryLine('x', 'x', expiresAt, nowMs).verdict).toBe(verdict);
});

test.each<[number, number, string]>([
  [0, 10, 'ok'],
  [-1_500, 10, 'warn'],
  [1_500, 900, 'ok'],
  [6_000, 10, 'fail'],
])('clocks that are %s ms apart, within %s, are %s', (offsetMs, errorMs, verdict) => {
  expect(clocks('x', 'x', { offsetMs, errorMs }).verdict).toBe(verdict);
});

test.each([
  ['20.18.9', 'fail'],
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
])('Node.js %s is %s', (version, verdict) => {
  expect(nodeLine(version).verdict).toBe(verdict);
});
