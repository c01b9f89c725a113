/** Kinds of messages and signals: some are the server's own, others a room keeps for a role. */
import { DomainError } from '../../platform/errors.js';
import { rankOf } from '../../policy/decide-room.js';
import type { Allow } from '../../policy/decide-room.js';

const OF_THE_SERVER = 'system';

/** `system` and kinds that begin with `system.` come from the server. */
export const isOfTheServer = (kind: string): boolean =>
  kind === OF_THE_SERVER || kind.startsWith(`${OF_THE_SERVER}.`);

/** Throws `kind_refused`. Of the rules of the room the one with the longest prefix counts. */
export function requireKind(kind: string, { room, role }: Allow): void {
  if (isOfTheServer(kind)) throw new DomainError('kind_refused');
  let longest = '';
  for (const prefix in room.kinds)
    if (prefix.length > longest.length && kind.startsWith(prefix)) longest = prefix;
  const least = room.kinds[longest];
  if (least !== undefined && rankOf(role) < rankOf(least))
    throw new DomainError('kind_refused', { detail: `kinds of \`${longest}\` need \`${least}\`` });
}
