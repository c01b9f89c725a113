/**
 * Which installation this database belongs to: a random id, made by the first start and kept in
 * `settings`. Every name in Redis begins with it, so two installations on one Redis server do not
 * meet (ADR 0023).
 */
import { randomBytes } from 'node:crypto';
import { Database } from './database.js';
import { LOCKS } from './advisory-locks.js';

const SETTING = 'installation';
const ID_BYTES = 8;

export class Installation {
  constructor(readonly id: string) {}

  /** Nodes may start together: the id is made under the lock that migration takes too. */
  static async of(database: Database): Promise<Installation> {
    const [setting] = await database.hot<{ value: string }>(
      'setting',
      'SELECT value FROM settings WHERE key = $1',
      [SETTING],
    );
    return new Installation(setting?.value ?? (await make(database)));
  }
}

function make(database: Database): Promise<string> {
  return database.transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCKS.migration}::bigint)`;
    await tx.setting.createMany({
      data: [{ key: SETTING, value: randomBytes(ID_BYTES).toString('hex') }],
      skipDuplicates: true,
    });
    return (await tx.setting.findUniqueOrThrow({ where: { key: SETTING } })).value;
  });
}
