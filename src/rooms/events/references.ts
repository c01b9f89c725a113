/** References of a message: the message that it answers, and the users that it mentions. */
import { DomainError } from '../../platform/errors.js';
import type { Database } from '../../platform/stores/database.js';
import { moderates } from '../../policy/decide-room.js';
import type { Allow } from '../../policy/decide-room.js';
import type { RoomEventInput } from './commit/commit-room-events.js';
import { EVERYBODY } from './room-event.js';

/** As they are stored: each user once, in one order. */
export function storedMentions(mentions: string[] | 'room' | undefined): string[] | null {
  if (mentions === undefined) return null;
  return mentions === 'room' ? [EVERYBODY] : [...new Set(mentions)].sort();
}

/**
 * Throws `role_required` for a mention of everybody by less than a moderator, `not_found` for a
 * message or a user that is not of the room. A member who is removed before the commit makes the
 * decision stale, and this is asked again.
 */
export async function requireReferences(
  database: Database,
  { room, role }: Allow,
  { reply_to, mentions }: Pick<RoomEventInput, 'reply_to' | 'mentions'>,
): Promise<void> {
  const everybody = mentions?.[0] === EVERYBODY;
  if (everybody && !moderates(role))
    throw new DomainError('role_required', { detail: 'moderators mention a whole room' });
  const users = mentions === null || everybody ? [] : mentions;
  const [found] = await database.hot<{ replies: boolean; members: number }>(
    'references',
    `SELECT $2::uuid IS NULL OR EXISTS (
         SELECT 1 FROM room_events e WHERE e.message_id = $2 AND e.type = 'message' AND e.room_id = $1) AS replies,
       (SELECT count(*)::int FROM members m
        WHERE m.room_id = $1 AND m.user_id = ANY ($3::uuid[]) AND m.role IS NOT NULL AND NOT m.banned) AS members`,
    [room.id, reply_to, users],
  );
  if (found?.replies !== true)
    throw new DomainError('not_found', { detail: '`reply_to` is no message of the room' });
  if (found.members < users.length)
    throw new DomainError('not_found', { detail: 'a mentioned user is no member of the room' });
}
