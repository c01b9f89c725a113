import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';

/**
 * How far a member has read. Only moves forward, and never past the room's last seq. Guarded like
 * every effect: nothing of an ended session or a removed member is stored.
 */
@Injectable()
export class ReadMarkers {
  constructor(private readonly database: Database) {}

  /** Answers where the marker stands now. A tenant admin without a membership has none to store. */
  async mark(roomId: string, { userId, sessionId }: Principal, seq: number): Promise<number> {
    const rows = await this.database.hot<{ read_seq: string }>(
      'mark_read',
      `WITH marked AS (UPDATE members m SET read_seq = greatest(m.read_seq, e.seq), read_n = greatest(m.read_n, e.n) FROM rooms r
         LEFT JOIN room_events e ON e.room_id = r.id AND e.seq = least($3::bigint, r.last_seq),
         (SELECT id FROM sessions WHERE id = $4 AND ended_at IS NULL FOR SHARE) guard
       WHERE r.id = m.room_id AND r.state = 'open' AND m.room_id = $1 AND m.user_id = $2 AND m.role IS NOT NULL AND NOT m.banned
         RETURNING m.read_seq)
       SELECT coalesce((SELECT read_seq FROM marked), least($3::bigint, r.last_seq)) AS read_seq FROM rooms r WHERE r.id = $1`,
      [roomId, userId, seq, sessionId],
    );
    return Number(rows[0]?.read_seq ?? 0);
  }
}
