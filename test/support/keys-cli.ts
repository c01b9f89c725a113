/**
 * `npm run keys` and `npm run restore-fence`, without npm: the compiled commands with the
 * environment of a node, without its Redis.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keyState } from '../../src/auth/keys/signing-keys.js';
import type { KeyState } from '../../src/auth/keys/signing-keys.js';
import { query } from './sql.js';

const keys = fileURLToPath(new URL('../../dist/auth/keys/keys-cli.js', import.meta.url));
const restoreFence = fileURLToPath(
  new URL('../../dist/sessions/restore-fence-cli.js', import.meta.url),
);

export interface CliAnswer {
  code: number | null;
  stdout: string;
  stderr: string;
}

export const runKeys = (env: Record<string, string>, ...args: string[]): Promise<CliAnswer> =>
  run(keys, env, args);
export const runRestoreFence = (env: Record<string, string>): Promise<CliAnswer> =>
  run(restoreFence, env, []);

function run(cli: string, env: Record<string, string>, args: string[]): Promise<CliAnswer> {
  const { REDIS_URL: _, ...own } = env;
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test', ...own },
  });
  const answer: CliAnswer = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (answer.stdout += chunk));
  child.stderr.on('data', (chunk) => (answer.stderr += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...answer, code })));
}

/**
 * The list of `GET /v1/admin/keys`, eldest first, for tests whose operator's token is not to
 * matter.
 */
export async function listKeys(
  databaseUrl: string,
): Promise<
  { kid: string; alg: string; state: KeyState; signsFrom: Date; retiredAt: Date | null }[]
> {
  const rows = await query<{
    kid: string;
    alg: string;
    signsFrom: Date;
    retiredAt: Date | null;
    withdrawnAt: Date | null;
  }>(
    databaseUrl,
    'SELECT kid, alg, signs_from AS "signsFrom", retired_at AS "retiredAt", withdrawn_at AS "withdrawnAt" FROM signing_keys ORDER BY signs_from',
  );
  return rows.map((row) => ({ ...row, state: keyState(row) }));
}

export const kidOf = (token: string): string => headerOf(token).kid;
export const headerOf = (token: string): { alg: string; kid: string; typ: string } =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
