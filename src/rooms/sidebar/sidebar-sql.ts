/**
 * SQL that the list of one's rooms (sidebar.ts) and `watch` (watched-rooms.ts) share. The row of
 * `rooms` is `r`, that of `members` is `m`.
 */
import { EVERYBODY } from '../events/room-event.js';

/** The user is in the room, and it is there. */
export const IS_MINE = `m.role IS NOT NULL AND NOT m.banned AND r.state = 'open'`;
/** Time of the last message; of the room itself before the first. */
export const ACTIVE_AT = 'coalesce(r.last_message_at, r.created_at)';
/** Unread messages that mention the user, of a row with `room_id`, `user_id` and `read_n`. */
export const unreadMentions = (of: string): string =>
  `(SELECT count(DISTINCT y.n)::integer FROM mentions y
    WHERE y.room_id = ${of}.room_id AND y.user_id IN (${of}.user_id, '${EVERYBODY}'::uuid) AND y.n > ${of}.read_n)`;
