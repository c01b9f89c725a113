/**
 * Issue 15: `sslmode` as libpq means it, against a Postgres with TLS and a certificate of an
 * authority made here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startPostgres } from '../../scripts/stores/postgres.mjs';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { SERVING } from '../../src/platform/stores/postgres-settings.js';
import { scratchFolder } from '../faults/stores.js';
import { describeWith } from '../support/needs.js';
import { query } from '../support/sql.js';
import { withParams } from './hostile.js';

const OPENSSL = {
  met: spawnSync('openssl', ['version']).status === 0,
  reason: 'openssl is not on PATH',
};

describeWith(OPENSSL, 'TLS to Postgres')('sslmode', () => {
  const dir = OPENSSL.met ? scratchFolder('tls') : '';
  const file = (name: string): string => join(dir, name);
  let server: { url: string; stop: () => Promise<void> };
  let plainUrl: string;

  beforeAll(async () => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
    for (const authority of ['ca', 'other']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${authority}`,
        '-keyout',
        file(`${authority}.key`),
        '-out',
        file(`${authority}.crt`),
      );
    }
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=localhost',
      '-keyout',
      file('server.key'),
      '-out',
      file('server.csr'),
    );
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost');
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      file('server.csr'),
      '-CA',
      file('ca.crt'),
      '-CAkey',
      file('ca.key'),
      '-CAcreateserial',
      '-extfile',
      file('names'),
      '-out',
      file('server.crt'),
    );
    server = await startPostgres({ dir, throwaway: true });
    plainUrl = server.url;
    const data = join(dir, 'postgres');
    const { uid, gid } = statSync(data);
    for (const name of ['server.key', 'server.crt']) {
      writeFileSync(join(data, name), readFileSync(file(name)), { mode: 0o600 });
      chownSync(join(data, name), uid, gid);
    }
    for (const sql of ['ALTER SYSTEM SET ssl TO on', 'SELECT pg_reload_conf()'])
      await query(plainUrl, sql);
    // Roles of which one may come with TLS only and one without only.
    for (const role of ['secured', 'plain']) await query(plainUrl, `CREATE ROLE ${role} LOGIN`);
    writeFileSync(
      join(data, 'pg_hba.conf'),
      'hostssl all secured 127.0.0.1/32 trust\nhostnossl all plain 127.0.0.1/32 trust\nhost all wardroom 127.0.0.1/32 scram-sha-256\n',
    );
    await query(plainUrl, 'SELECT pg_reload_conf()');
    await encrypted(plainUrl, 'require');
  });
  afterAll(() => server?.stop());

  /** By name: the certificate is of `localhost`. */
  const named = (role: string, params: Record<string, string>, host = 'localhost'): string => {
    const url = new URL(withParams(plainUrl, params));
    url.hostname = host;
    if (role !== 'wardroom') [url.username, url.password] = [role, ''];
    return url.href;
  };

  /**
   * Whether the connection that comes of it is encrypted. The server reads its settings again when
   * it comes to it.
   */
  async function encrypted(url: string, mode?: string): Promise<boolean> {
    const deadline = performance.now() + 5_000;
    for (;;) {
      const client = await new PostgresAccess(
        mode === undefined ? url : withParams(url, { sslmode: mode }),
      )
        .connect(SERVING, 'tls')
        .catch((error: Error) => error);
      if (client instanceof Error) {
        if (mode === undefined || performance.now() > deadline) throw client;
        continue;
      }
      const { rows } = await client.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      await client.end();
      return rows[0]!.ssl;
    }
  }

  test('disable, prefer and no word connect as libpq would', async () => {
    expect(await encrypted(named('wardroom', { sslmode: 'disable' }))).toBe(false);
    expect(await encrypted(named('wardroom', { sslmode: 'prefer' }))).toBe(true);
    expect(await encrypted(named('wardroom', {}))).toBe(true);
    expect(await encrypted(named('plain', { sslmode: 'allow' }))).toBe(false);
    expect(await encrypted(named('secured', { sslmode: 'allow' }))).toBe(true);
    await expect(encrypted(named('secured', { sslmode: 'disable' }))).rejects.toThrow(
      /cannot be used: no pg_hba.conf entry .* no encryption/,
    );
  });

  test('prefer goes on without TLS where the server has none, require does not', async () => {
    const without = process.env['TEST_DATABASE_URL']!;
    expect(await encrypted(withParams(without, { sslmode: 'prefer' }))).toBe(false);
    await expect(encrypted(withParams(without, { sslmode: 'require' }))).rejects.toThrow(
      'cannot be used: The server does not support SSL connections',
    );
  });

  test('require encrypts and believes any certificate, unless an authority is named', async () => {
    expect(await encrypted(named('secured', { sslmode: 'require' }))).toBe(true);
    expect(
      await encrypted(
        named('secured', { sslmode: 'require', sslrootcert: file('ca.crt') }, '127.0.0.1'),
      ),
    ).toBe(true);
    await expect(
      encrypted(named('secured', { sslmode: 'require', sslrootcert: file('other.crt') })),
    ).rejects.toThrow(/cannot be used: .*certificate/);
  });

  test('verify-ca wants the authority, verify-full the name as well', async () => {
    const ca = { sslrootcert: file('ca.crt') };
    expect(await encrypted(named('secured', { sslmode: 'verify-ca', ...ca }, '127.0.0.1'))).toBe(
      true,
    );
    expect(await encrypted(named('secured', { sslmode: 'verify-full', ...ca }))).toBe(true);
    await expect(
      encrypted(named('secured', { sslmode: 'verify-full', ...ca }, '127.0.0.1')),
    ).rejects.toThrow(/cannot be used: .*(IP: 127.0.0.1|altnames)/);
    await expect(encrypted(named('secured', { sslmode: 'verify-full' }))).rejects.toThrow(
      /cannot be used: .*certificate/,
    );
    await expect(
      encrypted(named('secured', { sslmode: 'verify-ca', sslrootcert: file('other.crt') })),
    ).rejects.toThrow(/cannot be used: .*certificate/);
  });
});
