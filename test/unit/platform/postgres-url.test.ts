import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readPostgresUrl } from '../../../src/platform/config/postgres-url.js';

const folder = mkdtempSync(join(tmpdir(), 'wardroom-url-'));
const ca = join(folder, 'ca.crt');
writeFileSync(ca, 'the authority');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base = 'postgres://u:p@db:6432/wardroom';
const tls = (query: string) => readPostgresUrl(`${base}?${query}`).tls;
const reading = (query: string) => () => readPostgresUrl(`${base}?${query}`);

describe('the address', () => {
  test('is decoded, and what is not said is left to the environment', () => {
    expect(
      readPostgresUrl('postgresql://us%40er:p%3Aw%2F@db.example.com:6432/w%20r').server,
    ).toEqual({
      host: 'db.example.com',
      port: 6432,
      user: 'us@er',
      password: 'p:w/',
      database: 'w r',
    });
    expect(readPostgresUrl('postgres:///w?host=/run/postgresql').server).toEqual({
      host: '/run/postgresql',
      database: 'w',
    });
    expect(readPostgresUrl('postgres://[::1]/w').server.host).toBe('::1');
  });

  test('names a schema by itself or in options, which are sent too', () => {
    expect(readPostgresUrl(base)).toMatchObject({ schema: null, searchPath: null, pooled: null });
    expect(readPostgresUrl(`${base}?schema=rooms&pgbouncer=true`)).toMatchObject({
      schema: 'rooms',
      pooled: true,
    });
    const options = readPostgresUrl(
      `${base}?options=${encodeURIComponent('-c geqo=off -csearch_path=a\\ b,c')}`,
    );
    expect(options).toMatchObject({
      schema: null,
      searchPath: 'a b,c',
      server: { options: '-c geqo=off -csearch_path=a\\ b,c' },
    });
  });

  test.each([
    ['sslmod=verify-full', 'unknown parameter sslmod'],
    ['statement_timeout=0', 'unknown parameter statement_timeout'],
    ['schema=a"b', 'schema must not contain a quotation mark'],
    ['pgbouncer=yes', 'pgbouncer has to be one of true, false, 1, 0'],
    [
      'sslmode=strict',
      'sslmode has to be one of disable, allow, prefer, require, verify-ca, verify-full, no-verify',
    ],
    ['sslmode=verify-full&sslrootcert=/nowhere/ca.crt', 'sslrootcert cannot be read'],
  ])('%s is refused: %s', (query, message) => {
    expect(reading(query)).toThrow(message);
  });

  test('words of Prisma and libpq that change nothing here are let pass', () => {
    expect(
      reading(
        'connection_limit=5&pool_timeout=10&connect_timeout=5&application_name=x&target_session_attrs=read-write',
      ),
    ).not.toThrow();
  });
});

describe('sslmode means what it means to libpq', () => {
  const unverified = { rejectUnauthorized: false };

  test.each([
    ['sslmode=disable', [false]],
    ['sslmode=allow', [false, unverified]],
    ['sslmode=prefer', [unverified, false]],
    ['', [unverified, false]],
    ['sslmode=require', [unverified]],
    ['sslmode=no-verify', [unverified]],
    ['sslmode=verify-full', [{}]],
    ['sslrootcert=system', [{}]],
    ['ssl=true', [{}]],
    ['sslnegotiation=direct', [unverified]],
  ])('%s', (query, ways) => {
    expect(tls(query)).toEqual(ways);
  });

  test('an authority of one`s own is asked for: by require without the name, by verify-full with it', () => {
    for (const mode of ['require', 'verify-ca']) {
      expect(tls(`sslmode=${mode}&sslrootcert=${ca}`)).toEqual([
        { ca: 'the authority', checkServerIdentity: expect.any(Function) },
      ]);
    }
    expect(tls(`sslmode=verify-full&sslrootcert=${ca}`)).toEqual([{ ca: 'the authority' }]);
  });

  test.each([
    ['sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert'],
    ['sslmode=require&sslrootcert=system', 'sslrootcert=system needs sslmode=verify-full'],
    [
      'sslmode=prefer&sslnegotiation=direct',
      'sslnegotiation=direct needs sslmode=require or stronger',
    ],
  ])('%s would promise what it does not keep', (query, message) => {
    expect(reading(query)).toThrow(message);
  });
});
