/**
 * `npm run audit -- verify [--tenant <id or slug>] [--anchor <chain>:<n>:<hash>]`: exit code 0 when
 * the audit is whole, 1 with what was found, 2 when it could not be asked. Needs DATABASE_URL and
 * SECRET_KEY (or their _FILE): the present key and those that were used while records that are
 * still kept were written.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { isId } from '../platform/ids.js';
import { PostgresAccess } from '../platform/stores/postgres-access.js';
import { PATIENT } from '../platform/stores/postgres-settings.js';
import { auditKey } from './audit-hash.js';
import { verifyAudit } from './verify-audit.js';
import type { Anchor } from './verify-audit.js';

const USAGE =
  'Usage: npm run audit -- verify [--tenant <id or slug>] [--anchor <chain>:<n>:<hash>]...';
const ANCHOR = /^([0-9a-f-]{36}):(\d+):([0-9a-f]{64})$/;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      tenant: { type: 'string' },
      anchor: { type: 'string', multiple: true, default: [] },
    },
  });
  if (positionals.join() !== 'verify') throw new Error(USAGE);
  const keys = setting('SECRET_KEY')
    .split(',')
    .filter((key) => key !== '')
    .map(auditKey);
  const client = await new PostgresAccess(setting('DATABASE_URL')).connect(
    PATIENT,
    'wardroom-audit',
  );
  try {
    const tenant =
      values.tenant === undefined ? {} : { tenant: await tenantId(client, values.tenant) };
    const { records, chains, findings } = await verifyAudit(client, keys, {
      ...tenant,
      anchors: values.anchor.map(anchorOf),
    });
    for (const finding of findings) console.error(finding);
    const read = `${records} records in ${chains} chains`;
    console.log(
      findings.length === 0 ? `${read}: whole.` : `${read}: ${findings.length} findings.`,
    );
    return findings.length === 0 ? 0 : 1;
  } finally {
    await client.end();
  }
}

async function tenantId(client: pg.ClientBase, ref: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM tenants WHERE ${isId(ref) ? 'id = $1::uuid' : 'slug = $1'}`,
    [ref],
  );
  if (rows[0] === undefined) throw new Error(`There is no tenant ${ref}.`);
  return rows[0].id;
}

function anchorOf(text: string): Anchor {
  const [, chain, n, hash] = ANCHOR.exec(text) ?? [];
  if (chain === undefined || n === undefined || hash === undefined)
    throw new Error(`Not an anchor: ${text}\n${USAGE}`);
  return { chain, n: BigInt(n), hash, from: 'the anchor' };
}

function setting(name: string): string {
  const file = process.env[`${name}_FILE`];
  const value =
    file === undefined || file === '' ? process.env[name] : readFileSync(file, 'utf8').trim();
  if (value === undefined || value === '')
    throw new Error(`${name} (or ${name}_FILE) is required.`);
  return value;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 2;
  },
);
