/**
 * A pgbouncer of a test's own in front of a Postgres. Everything started here ends with the test
 * file.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import pg from 'pg';
import { removeAtEnd, startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { unprivileged } from '../../scripts/stores/postgres.mjs';

// Debian installs it where only root looks.
const command = ['pgbouncer', '/usr/sbin/pgbouncer'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

export const PGBOUNCER = { met: command !== undefined, reason: 'no pgbouncer is on PATH' };

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** The URL of the same database through the pooler. `settings` are lines of its configuration. */
export async function throughPgbouncer(
  databaseUrl: string,
  settings: Record<string, string> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-pgbouncer-'));
  chmodSync(folder, 0o711);
  removeAtEnd(folder);
  const { hostname, port, username, password } = new URL(databaseUrl);
  const through = new URL(databaseUrl);
  through.port = String(await freePort());
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: through.port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    pool_mode: 'transaction',
    ...settings,
  };
  const config = [
    '[databases]',
    `* = host=${hostname} port=${port}`,
    '[pgbouncer]',
    ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`),
  ];
  const identity = unprivileged(join(folder, 'none'), [folder]) as {
    uid?: number;
    gid?: number;
    ids: object;
    wrap: (c: string, a: string[]) => [string, string[]];
  };
  for (const [name, text] of [
    ['pgbouncer.ini', config.join('\n')],
    ['users.txt', `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`],
  ] as const) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    if (identity.uid !== undefined) chownSync(join(folder, name), identity.uid, identity.gid!);
  }
  const child = startChild(...identity.wrap(command!, [join(folder, 'pgbouncer.ini')]), {
    ...identity.ids,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  stops.push(() => stopChild(child));
  for (const deadline = performance.now() + 10_000; ;) {
    const client = new pg.Client({ connectionString: through.href });
    client.on('error', () => {});
    const answer = await client.connect().then(
      () => null,
      (error: Error) => error,
    );
    await client.end().catch(() => undefined);
    if (answer === null) return through.href;
    if (performance.now() > deadline || child.exitCode !== null)
      throw new Error(`pgbouncer did not start: ${answer.message}\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
