/**
 * `npm run audit -- verify`, without npm: the compiled command, and statements of somebody at the
 * database.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { query } from '../support/sql.js';

const cli = fileURLToPath(new URL('../../dist/audit/audit-cli.js', import.meta.url));

export interface Told {
  code: number;
  out: string;
  findings: string[];
}

export function verify(databaseUrl: string, secretKey: string, args: string[] = []): Promise<Told> {
  const env = { PATH: process.env['PATH'] ?? '', DATABASE_URL: databaseUrl, SECRET_KEY: secretKey };
  return new Promise((resolve) =>
    execFile(process.execPath, [cli, 'verify', ...args], { env }, (error, out, err) =>
      resolve({
        code: Number(error?.code ?? 0),
        out,
        findings: err.split('\n').filter((line) => line !== ''),
      }),
    ),
  );
}

/**
 * Takes the last records of a chain and sets its row back, so that nothing in the chain shows it.
 * Answers the numbers that are gone.
 */
export async function cutTail(
  url: string,
  chain: string,
  records = 3,
): Promise<{ from: number; to: number }> {
  const [cut] = await query<{ from: number; to: number }>(
    url,
    `WITH head AS (SELECT node, n FROM audit_chains WHERE node = $1 FOR UPDATE),
       gone AS (DELETE FROM audit_events e USING head WHERE e.node = head.node AND e.n > head.n - $2::integer RETURNING e.n),
       back AS (UPDATE audit_chains c SET n = e.n, hash = e.hash FROM audit_events e, head WHERE c.node = head.node AND e.node = head.node AND e.n = head.n - $2::integer)
     SELECT min(n)::integer AS from, max(n)::integer AS to FROM gone`,
    [chain, records],
  );
  if (cut!.to - cut!.from !== records - 1)
    throw new Error(`chain ${chain} has not ${records} records to cut`);
  return cut!;
}
