/**
 * Reading durable events: pages for people, replays for subscribers, repairs for nodes. Whatever goes to one principal
 * checks the right to read in the same statement that reads (architecture, section 3).
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Gathering } from '../platform/gathering.js';
import { Policy } from '../policy/policy.js';
import type { Principal } from '../sessions/principal.js';
import { toRoomEvent } from './room-event.js';
import type { RoomEvent, RoomEventRow } from './room-event.js';

export interface HistoryQuery {
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

export interface HistoryItem {
  message_id: string;
  room: string;
  seq: number;
  sender: string;
  kind: string;
  op_id: string;
  /** Null when deleted. */
  body: unknown;
  at: string;
  edited_at: string | null;
  deleted_at: string | null;
  reactions: { emoji: string; users: string[] }[];
}

/** $1 room, $2 user, $3 tenant: one row when the user may read the room now. The SQL twin of decideRead (policy/decide-room.ts). */
const READABLE = `
  SELECT r.id, r.last_seq FROM rooms r
  LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $2
  LEFT JOIN users u ON u.id = $2 AND u.tenant_id = r.tenant_id
  WHERE r.id = $1 AND r.tenant_id = $3 AND r.state = 'open' AND coalesce(u.state, 'active') = 'active' AND coalesce(u.role, 'guest') <> 'operator'
    AND m.banned IS NOT TRUE
    AND (m.role IS NOT NULL OR r.visibility = 'public' OR (u.role = 'admin' AND r.visibility <> 'direct'))`;

const EVENT_COLUMNS = 'e.room_id, e.seq, e.type, e.message_id, e.sender, e.op_id, e.kind, e.body, e.emoji, e.reaction_on, e.epoch, e.at';

type MessageRow = RoomEventRow & { edited_at: Date | null; deleted_at: Date | null; reactions: { emoji: string; users: string[] }[] | null };

/** Where a room stands: the last number given to one of its events, and the epoch of its rights. */
export interface RoomHead {
  seq: number;
  epoch: number;
}

@Injectable()
export class History {
  private readonly heads = new Gathering<string, RoomHead | null>((rooms) => this.readHeads(rooms));

  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  /** Newest first with `before` or alone, oldest first with `after`. */
  async page(principal: Principal, room: string, query: HistoryQuery): Promise<{ items: HistoryItem[]; next_cursor: string | null }> {
    const granted = await this.policy.authorize(principal, room, 'read');
    const forward = query.after !== undefined;
    const rows = await this.database.hot<MessageRow & { readable: boolean }>(
      forward ? 'history_forward' : 'history_backward',
      `WITH readable AS (${READABLE})
       SELECT readable.id IS NOT NULL AS readable, page.* FROM (SELECT 1) one LEFT JOIN readable ON true LEFT JOIN LATERAL (
         SELECT ${EVENT_COLUMNS}, e.edited_at, e.deleted_at,
           (SELECT jsonb_agg(jsonb_build_object('emoji', g.emoji, 'users', g.users)) FROM (
              SELECT x.emoji, jsonb_agg(x.user_id ORDER BY x.seq) AS users FROM reactions x
              WHERE x.message_id = e.message_id AND x.reaction_on GROUP BY x.emoji ORDER BY min(x.seq)) g) AS reactions
         FROM room_events e WHERE e.room_id = readable.id AND e.type = 'message' AND e.seq < $4 AND e.seq > $5
         ORDER BY e.seq ${forward ? 'ASC' : 'DESC'} LIMIT $6) page ON true`,
      [granted.room.id, principal.userId, principal.tenantId, query.before ?? Number.MAX_SAFE_INTEGER, query.after ?? 0, query.limit],
    );
    if (rows[0]?.readable !== true) throw new DomainError('not_found', { detail: 'the right to read went away' });
    const items = rows.filter((row) => row.message_id !== null).map(toItem);
    return { items, next_cursor: items.length < query.limit ? null : String(items.at(-1)!.seq) };
  }

  /** Events after `seq` up to `upTo`, in order, for one principal. Null: not readable any more. */
  async replay(principal: Principal, roomId: string, seq: number, upTo: number, limit: number): Promise<RoomEvent[] | null> {
    const rows = await this.database.hot<RoomEventRow & { readable: boolean }>(
      'replay',
      `WITH readable AS (${READABLE})
       SELECT readable.id IS NOT NULL AS readable, e.* FROM (SELECT 1) one LEFT JOIN readable ON true LEFT JOIN LATERAL (
         SELECT ${EVENT_COLUMNS} FROM room_events e WHERE e.room_id = readable.id AND e.seq > $4 AND e.seq <= $5
         ORDER BY e.seq LIMIT $6) e ON true`,
      [roomId, principal.userId, principal.tenantId, seq, upTo, limit],
    );
    if (rows[0]?.readable !== true) return null;
    return rows.filter((row) => row.message_id !== null).map(toRoomEvent);
  }

  /** For a node's own fan-out, which knows who may see what. */
  async eventsAfter(roomId: string, seq: number, limit: number): Promise<RoomEvent[]> {
    const rows = await this.database.hot<RoomEventRow>(
      'room_events_after',
      `SELECT ${EVENT_COLUMNS} FROM room_events e WHERE e.room_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3`,
      [roomId, seq, limit],
    );
    return rows.map(toRoomEvent);
  }

  /** Rooms whose last seq is past what the caller has: `known` is seq by room id. */
  async movedHeads(known: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const rows = await this.database.hot<{ id: string; last_seq: string }>(
      'moved_heads',
      `SELECT r.id, r.last_seq FROM unnest($1::uuid[], $2::bigint[]) AS x (id, seq) JOIN rooms r ON r.id = x.id AND r.last_seq > x.seq`,
      [[...known.keys()], [...known.values()]],
    );
    return new Map(rows.map((row) => [row.id, Number(row.last_seq)]));
  }

  /** Where a room's fan-out starts on this node: as it is after the call. Of many rooms at once when a crowd comes back. */
  async headOf(roomId: string): Promise<RoomHead> {
    const head = await this.heads.ask(roomId);
    if (head === null) throw new DomainError('not_found');
    return head;
  }

  private async readHeads(roomIds: string[]): Promise<(RoomHead | null)[]> {
    const rows = await this.database.hot<{ id: string; last_seq: string; authz_epoch: string }>(
      'room_heads',
      'SELECT id, last_seq, authz_epoch FROM rooms WHERE id = ANY($1::uuid[])',
      [roomIds],
    );
    const heads = new Map(rows.map((row) => [row.id, { seq: Number(row.last_seq), epoch: Number(row.authz_epoch) }]));
    return roomIds.map((id) => heads.get(id) ?? null);
  }
}

function toItem(row: MessageRow): HistoryItem {
  return {
    message_id: row.message_id,
    room: row.room_id,
    seq: Number(row.seq),
    sender: row.sender,
    kind: row.kind ?? '',
    op_id: row.op_id ?? '',
    body: row.body === null ? null : JSON.parse(row.body),
    at: row.at.toISOString(),
    edited_at: row.edited_at?.toISOString() ?? null,
    deleted_at: row.deleted_at?.toISOString() ?? null,
    reactions: row.reactions ?? [],
  };
}
