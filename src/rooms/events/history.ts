/**
 * Reading durable events: pages for people, replays for subscribers, repairs for nodes. A read for
 * one principal checks the right to read in the same statement.
 */
import { Injectable } from '@nestjs/common';
import { PAGE_BYTES } from '../../budgets/held-bytes.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { Batcher } from '../../platform/stores/batcher.js';
import { Policy } from '../../policy/policy.js';
import type { Principal } from '../../sessions/principal.js';
import { ROOM_EPOCH } from './room-epochs.js';
import type { Known } from './room-epochs.js';
import { EVENT_COLUMNS, MESSAGE_COLUMNS, READABLE_ROOM, toItem } from './message-items.js';
import type { HistoryItem, MessageRow } from './message-items.js';
import { toRoomEvents } from './room-event.js';
import type { RoomEvent, RoomEventRow } from './room-event.js';

export interface HistoryQuery {
  /** Replies to this message alone. */
  thread?: string | undefined;
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

export interface HistoryPage {
  items: HistoryItem[];
  next_cursor: string | null;
  epoch: string;
  /** The last durable event that the items show. */
  seq: number;
}

/**
 * The bytes of the bodies before this one. Their length is read where they are kept, not from them.
 */
const BODY_BYTES_BEFORE =
  'coalesce(sum(octet_length(e.body)) OVER (ORDER BY e.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before';

/** Of an item, beside its body and reactions; of a reaction. */
const ITEM_BYTES = 400;
const REACTION_BYTES = 40;

/** At most so many events of a room, and no more after so many bytes of bodies. */
export interface Piece {
  events: number;
  bytes: number;
}

/**
 * Where a room stands: its last event, the epoch of its rights, and which past its numbers belong
 * to.
 */
export interface RoomHead {
  seq: number;
  /** Of the last event; empty when there is none. */
  mark: string;
  epoch: number;
  roomEpoch: string;
  /** A few events before it, in their order. */
  before: Known[];
}

/** The events that a node has of a room: everything up to `seq`. */
export interface KnownHead extends Known {
  readonly id: string;
  readonly roomEpoch: string;
}

export interface ChangedHead {
  seq: number;
  /** Null: the room is gone. */
  roomEpoch: string | null;
  /** Everything the caller knows is there. */
  whole: boolean;
}

/**
 * So many events before the last one: what a node that has just come to a room compares when the
 * room's past is replaced.
 */
const LOOK_BACK = [512, 64, 8];

@Injectable()
export class History {
  private readonly heads = new Batcher<string, RoomHead | null>((rooms) => this.readHeads(rooms));

  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  /**
   * Newest first with `before` or alone, oldest first with `after`. Bounded in bytes: a page with
   * fewer items than asked for may go on.
   */
  async page(principal: Principal, room: string, query: HistoryQuery): Promise<HistoryPage> {
    const granted = await this.policy.authorize(principal, room, 'read');
    const forward = query.after !== undefined;
    const order = forward ? 'ASC' : 'DESC';
    const { thread } = query;
    const replies = thread === undefined ? '' : 'AND e.reply_to = $8';
    const rows = await this.database.hot<
      MessageRow & { readable: boolean; room_epoch: string; room_seq: string; found: string }
    >(
      `${thread === undefined ? 'history' : 'thread'}_${forward ? 'forward' : 'backward'}`,
      `WITH readable AS (${READABLE_ROOM})
       SELECT readable.id IS NOT NULL AS readable, readable.epoch AS room_epoch, readable.last_seq AS room_seq, page.* FROM (SELECT 1) one LEFT JOIN readable ON true LEFT JOIN LATERAL (
         SELECT ${MESSAGE_COLUMNS}, e.found
         FROM (
           SELECT e.*, count(*) OVER () AS found, coalesce(sum(e.bytes) OVER (
             ORDER BY e.seq ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
           FROM (
             SELECT e.*, ${ITEM_BYTES} + coalesce(octet_length(e.body), 0)
               + ${REACTION_BYTES} * (SELECT count(*) FROM reactions x WHERE x.message_id = e.message_id AND x.reaction_on) AS bytes
             FROM room_events e WHERE e.room_id = readable.id AND e.type = 'message' AND e.seq < $4 AND e.seq > $5 ${replies}
             ORDER BY e.seq ${order} LIMIT $6) e) e
         WHERE e.bytes_before < $7 ORDER BY e.seq ${order}) page ON true`,
      [
        granted.room.id,
        principal.userId,
        principal.tenantId,
        query.before ?? Number.MAX_SAFE_INTEGER,
        query.after ?? 0,
        query.limit,
        PAGE_BYTES,
        ...(thread === undefined ? [] : [thread]),
      ],
    );
    if (rows[0]?.readable !== true)
      throw new DomainError('not_found', { detail: 'the right to read went away' });
    const items = rows.filter((row) => row.message_id !== null).map(toItem);
    const isLast = items.length < query.limit && items.length === Number(rows[0].found);
    return {
      items,
      next_cursor: isLast || items.length === 0 ? null : String(items.at(-1)!.seq),
      epoch: rows[0].room_epoch,
      seq: Number(rows[0].room_seq),
    };
  }

  /** Messages before, at and after a seq, newest first; the cursor goes on towards the oldest. */
  async around(
    principal: Principal,
    room: string,
    seq: number,
    limit: number,
  ): Promise<HistoryPage> {
    const half = Math.ceil(limit / 2);
    const older = await this.page(principal, room, { before: seq + 1, limit: half });
    if (limit === half) return older;
    const newer = await this.page(principal, room, { after: seq, limit: limit - half });
    return { ...older, items: [...newer.items.reverse(), ...older.items] };
  }

  /** Events after `seq` up to `upTo`, in order, for one principal. Null: not readable any more. */
  async replay(
    principal: Principal,
    roomId: string,
    seq: number,
    upTo: number,
    piece: Piece,
  ): Promise<RoomEvent[] | null> {
    const rows = await this.database.hot<RoomEventRow & { readable: boolean }>(
      'replay',
      `WITH readable AS (${READABLE_ROOM})
       SELECT readable.id IS NOT NULL AS readable, e.* FROM (SELECT 1) one LEFT JOIN readable ON true LEFT JOIN LATERAL (
         SELECT ${EVENT_COLUMNS} FROM (
           SELECT e.*, ${BODY_BYTES_BEFORE} FROM room_events e WHERE e.room_id = readable.id AND e.seq > $4 AND e.seq <= $5
           ORDER BY e.seq LIMIT $6) e
         WHERE e.bytes_before < $7) e ON true`,
      [roomId, principal.userId, principal.tenantId, seq, upTo, piece.events, piece.bytes],
    );
    if (rows[0]?.readable !== true) return null;
    return toRoomEvents(rows.filter((row) => row.message_id !== null));
  }

  /**
   * For a node's own fan-out, which knows who may see what. The event at `seq` is read for its
   * mark, which the first one names. At least one after it, where there is one, if `bytes` is more
   * than a body may have.
   */
  async eventsAfter(
    roomId: string,
    seq: number,
    limit: number,
    bytes = Number.MAX_SAFE_INTEGER,
  ): Promise<RoomEvent[]> {
    const rows = await this.database.hot<RoomEventRow>(
      'room_events_after',
      `SELECT ${EVENT_COLUMNS} FROM (
         SELECT e.*, ${BODY_BYTES_BEFORE} FROM room_events e WHERE e.room_id = $1 AND e.seq >= $2 ORDER BY e.seq LIMIT $3) e
       WHERE e.bytes_before < $4 ORDER BY e.seq`,
      [roomId, seq, limit + 1, bytes],
    );
    return toRoomEvents(rows)
      .filter((event) => event.seq > seq)
      .slice(0, limit);
  }

  /** Rooms that have more than the caller knows, or another past. */
  async changedHeads(known: readonly KnownHead[]): Promise<Map<string, ChangedHead>> {
    const rows = await this.database.hot<{
      id: string;
      last_seq: string | null;
      epoch: string | null;
      whole: boolean;
    }>(
      'changed_heads',
      `SELECT x.id, r.last_seq, found.epoch, found.whole FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS x (id, seq, mark, epoch)
       LEFT JOIN rooms r ON r.id = x.id
       LEFT JOIN room_events e ON e.room_id = x.id AND e.seq = x.seq,
       LATERAL (SELECT ${ROOM_EPOCH} AS epoch,
         coalesce(r.last_seq >= x.seq AND coalesce(room_event_mark(e.message_id, e.at), '') = x.mark, false) AS whole) found
       WHERE NOT found.whole OR found.epoch IS DISTINCT FROM x.epoch OR r.last_seq > x.seq`,
      [
        known.map(({ id }) => id),
        known.map(({ seq }) => seq),
        known.map(({ mark }) => mark),
        known.map(({ roomEpoch }) => roomEpoch),
      ],
    );
    return new Map(
      rows.map(({ id, last_seq, epoch, whole }) => [
        id,
        { seq: Number(last_seq ?? 0), roomEpoch: epoch, whole },
      ]),
    );
  }

  /**
   * Where a room's fan-out starts on this node: as it is after the call. Of many rooms at once when
   * a crowd comes back.
   */
  async headOf(roomId: string): Promise<RoomHead> {
    const head = await this.headIfThere(roomId);
    if (head === null) throw new DomainError('not_found');
    return head;
  }

  headIfThere(roomId: string): Promise<RoomHead | null> {
    return this.heads.ask(roomId);
  }

  private async readHeads(roomIds: string[]): Promise<(RoomHead | null)[]> {
    const rows = await this.database.hot<{
      id: string;
      last_seq: string;
      authz_epoch: string;
      epoch: string;
      mark: string | null;
      before: Known[];
    }>(
      'room_heads',
      `SELECT r.id, r.last_seq, r.authz_epoch, ${ROOM_EPOCH} AS epoch, room_event_mark(e.message_id, e.at) AS mark,
         (SELECT coalesce(json_agg(json_build_object('seq', b.seq, 'mark', room_event_mark(b.message_id, b.at)) ORDER BY b.seq), '[]')
          FROM unnest($2::bigint[]) AS back (events) JOIN room_events b ON b.room_id = r.id AND b.seq = r.last_seq - back.events) AS before
       FROM rooms r LEFT JOIN room_events e ON e.room_id = r.id AND e.seq = r.last_seq WHERE r.id = ANY($1::uuid[])`,
      [roomIds, LOOK_BACK],
    );
    const heads = new Map<string, RoomHead>(
      rows.map(({ id, last_seq, authz_epoch, epoch, mark, before }) => [
        id,
        {
          seq: Number(last_seq),
          mark: mark ?? '',
          epoch: Number(authz_epoch),
          roomEpoch: epoch,
          before,
        },
      ]),
    );
    return roomIds.map((id) => heads.get(id) ?? null);
  }
}
