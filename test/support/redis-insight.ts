/**
 * How a test looks into what the nodes of a cluster write into Redis: it has their SECRET_KEY and
 * their database.
 */
import pg from 'pg';
import { MessageSeal } from '../../src/platform/stores/message-seal.js';
import { newId } from '../../src/platform/ids.js';

export interface Insight {
  /** The beginning of every name of this installation. */
  prefix: string;
  /** The text in a box, whoever of them sealed it; null for everything else. */
  open: (about: string, box: Buffer) => string | null;
  /** As one of the nodes would. */
  seal: (about: string, value: unknown) => Buffer;
}

export async function insight({
  databaseUrl,
  env,
}: {
  databaseUrl: string;
  env: Record<string, string>;
}): Promise<Insight> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ value: string }>(
    `SELECT value FROM settings WHERE key = 'installation'`,
  );
  await client.end();
  const installation = rows[0]!.value;
  const seal = new MessageSeal([env['SECRET_KEY']!], installation, newId());
  return {
    prefix: `wardroom:${installation}:`,
    open: (about, box) => {
      const opened = seal.open(about, box);
      return typeof opened === 'string' ? null : opened.text;
    },
    seal: (about, value) => seal.seal(about, JSON.stringify(value)),
  };
}
