/**
 * A room whose numbers were given twice: Postgres came back without its newest commits, or rows
 * were put back by hand. The room then gets another epoch, once, whichever node sees it first. Here
 * a node reads how much is left of the past that it knew.
 */
import { Injectable } from '@nestjs/common';
import { LIMITS } from '@wardroom/protocol/limits';
import { Database } from '../../platform/stores/database.js';
import { newId } from '../../platform/ids.js';

/**
 * SQL: the epoch of the room `r`, as it goes over the wire. When the history of the authority log
 * was replaced, every room has another one without a write: who knows what else of it is lost.
 */
export const ROOM_EPOCH = `(SELECT right(h.history::text, 12) FROM authority_head h) || '.' || r.epoch`;

/** An event that a node knows. */
export interface Known {
  readonly seq: number;
  readonly mark: string;
}

export interface CommonPast {
  readonly tenantId: string;
  readonly roomEpoch: string;
  /** Of the rights. */
  readonly epoch: number;
  /** The last event that the node knows and Postgres still has; 0: it has none of them. */
  readonly kept: number;
  /** Where to go on: after `kept`, or at the end when that is too far to be replayed. */
  readonly start: Known;
}

@Injectable()
export class RoomEpochs {
  constructor(private readonly database: Database) {}

  /** Another epoch in place of `seen`; false when somebody was faster. */
  async renew(roomId: string, seen: string): Promise<boolean> {
    const rows = await this.database.hot(
      'renew_room_epoch',
      `UPDATE rooms r SET epoch = $3 WHERE r.id = $1 AND (${ROOM_EPOCH}) = $2 RETURNING r.id`,
      [roomId, seen, newId()],
    );
    return rows.length > 0;
  }

  /** In one picture: where the pasts part, and how the room stands. Null: the room is gone. */
  async commonPast(roomId: string, known: readonly Known[]): Promise<CommonPast | null> {
    const rows = await this.database.hot<
      Record<
        'tenant_id' | 'epoch' | 'authz_epoch' | 'last_seq' | 'kept' | 'kept_mark' | 'last_mark',
        string
      > & { next: string | null }
    >(
      'common_past',
      `WITH kept AS (
         SELECT coalesce(max(k.seq), 0) AS seq FROM unnest($2::bigint[], $3::text[]) AS k (seq, mark)
         JOIN room_events e ON e.room_id = $1 AND e.seq = k.seq AND room_event_mark(e.message_id, e.at) = k.mark)
       SELECT r.tenant_id, ${ROOM_EPOCH} AS epoch, r.authz_epoch, r.last_seq, kept.seq AS kept,
         (SELECT min(e.seq) FROM room_events e WHERE e.room_id = r.id AND e.seq > kept.seq) AS next,
         coalesce((SELECT room_event_mark(e.message_id, e.at) FROM room_events e WHERE e.room_id = r.id AND e.seq = kept.seq), '') AS kept_mark,
         coalesce((SELECT room_event_mark(e.message_id, e.at) FROM room_events e WHERE e.room_id = r.id AND e.seq = r.last_seq), '') AS last_mark
       FROM rooms r, kept WHERE r.id = $1`,
      [roomId, known.map(({ seq }) => seq), known.map(({ mark }) => mark)],
    );
    const row = rows[0];
    if (row === undefined) return null;
    const [kept, last] = [Number(row.kept), Number(row.last_seq)];
    const before = row.next === null ? Math.max(kept, last) : Number(row.next) - 1;
    const start =
      last - kept > LIMITS.replayEvents
        ? { seq: last, mark: row.last_mark }
        : { seq: before, mark: before === kept ? row.kept_mark : '' };
    return {
      tenantId: row.tenant_id,
      roomEpoch: row.epoch,
      epoch: Number(row.authz_epoch),
      kept,
      start,
    };
  }
}
