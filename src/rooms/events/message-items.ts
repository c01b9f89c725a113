/** Messages as REST shows them: the columns of a statement, and an item made of its row. */
import { LIMITS } from '@wardroom/protocol/limits';
import { READABLE } from '../../policy/readable-sql.js';
import { ROOM_EPOCH } from './room-epochs.js';
import { mentionsOf } from './room-event.js';
import type { RoomEventRow } from './room-event.js';

export interface HistoryItem {
  message_id: string;
  room: string;
  seq: number;
  /** Its number among the messages of the room. */
  n: number;
  sender: string;
  kind: string;
  op_id: string;
  /** Null when deleted. */
  body: unknown;
  at: string;
  edited_at: string | null;
  deleted_at: string | null;
  reply_to: string | null;
  mentions: string[] | 'room' | null;
  /** The first users of each emoji, and how many there are. */
  reactions: Reaction[];
}

interface Reaction {
  emoji: string;
  count: number;
  users: string[];
}

/** $1 room, $2 user, $3 tenant: one row when the user may read the room now. */
export const READABLE_ROOM = `
  SELECT r.id, r.last_seq, ${ROOM_EPOCH} AS epoch FROM rooms r
  LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $2
  LEFT JOIN users u ON u.id = $2 AND u.tenant_id = r.tenant_id
  WHERE r.id = $1 AND r.tenant_id = $3 AND ${READABLE}`;

export const EVENT_COLUMNS =
  'e.room_id, e.seq, e.type, e.message_id, e.sender, e.op_id, e.kind, e.body, e.emoji, e.reaction_on, e.epoch, e.at, e.n, e.reply_to, e.mentions';

/** Of each emoji the first users, and how many there are. */
export const REACTIONS = `
  (SELECT jsonb_agg(jsonb_build_object('emoji', g.emoji, 'count', g.count, 'users', g.users)) FROM (
     SELECT x.emoji, count(*) AS count, to_jsonb((array_agg(x.user_id ORDER BY x.seq))[1:${LIMITS.reactionUsers}]) AS users FROM reactions x
     WHERE x.message_id = e.message_id AND x.reaction_on GROUP BY x.emoji ORDER BY min(x.seq) LIMIT ${LIMITS.emojis}) g)`;

/** Of one message `e`. */
export const MESSAGE_COLUMNS = `${EVENT_COLUMNS}, e.edited_at, e.deleted_at, ${REACTIONS} AS reactions`;

export type MessageRow = RoomEventRow & {
  edited_at: Date | null;
  deleted_at: Date | null;
  reactions: Reaction[] | null;
};

export function toItem(row: MessageRow): HistoryItem {
  return {
    message_id: row.message_id,
    room: row.room_id,
    seq: Number(row.seq),
    n: Number(row.n),
    sender: row.sender,
    kind: row.kind ?? '',
    op_id: row.op_id ?? '',
    body: row.body === null ? null : JSON.parse(row.body),
    at: row.at.toISOString(),
    edited_at: row.edited_at?.toISOString() ?? null,
    deleted_at: row.deleted_at?.toISOString() ?? null,
    reply_to: row.reply_to,
    mentions: row.mentions === null ? null : mentionsOf(row.mentions),
    reactions: row.reactions ?? [],
  };
}
