import { get, send } from './rest.js';
import type { Caller } from './rest.js';

/**
 * The id of a person by their address, found by their sessions of the last 90 days. Where nobody is
 * found the address itself, which the server refuses in words.
 */
export async function userOf(caller: Caller, email: string): Promise<string> {
  try {
    const { items } = await send<{ items: { user: { id: string } }[] }>(
      caller,
      get('/v1/admin/sessions', { q: email, state: 'all', limit: 1 }),
    );
    return items[0]?.user.id ?? email;
  } catch {
    return email;
  }
}

/** The address or name of somebody who has a session of the last 90 days; null: of nobody. */
export async function nameOf(caller: Caller, user: string | null): Promise<string | null> {
  if (user === null) return null;
  const { items } = await send<{
    items: { user: { email: string | null; name: string | null } }[];
  }>(caller, get('/v1/admin/sessions', { user, state: 'all', limit: 1 }));
  return items[0]?.user.email ?? items[0]?.user.name ?? null;
}
