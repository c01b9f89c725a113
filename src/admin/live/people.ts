/** Names and addresses of users, by id, in one statement. */
import type { Database } from '../../platform/stores/database.js';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export async function peopleOf(
  database: Database,
  ids: readonly (string | null)[],
): Promise<ReadonlyMap<string, Person>> {
  const known = [...new Set(ids)].filter((id) => id !== null);
  if (known.length === 0) return new Map();
  const rows = await database.hot<{ id: string; name: string; email: string }>(
    'people',
    'SELECT id, name, email FROM users WHERE id = ANY ($1::uuid[])',
    [known],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Null: nobody; without a name: a guest, or somebody who is gone. */
export const personIn = (people: ReadonlyMap<string, Person>, id: string | null) =>
  id === null
    ? null
    : { id, name: people.get(id)?.name ?? null, email: people.get(id)?.email ?? null };
