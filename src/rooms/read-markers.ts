import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database.js';

/** How far a member has read. Only moves forward, and never past the room's last seq. */
@Injectable()
export class ReadMarkers {
  constructor(private readonly database: Database) {}

  /** Answers where the marker stands now. A tenant admin without a membership has none to store. */
  async mark(roomId: string, userId: string, seq: number): Promise<number> {
    const rows = await this.database.hot<{ read_seq: string }>(
      'mark_read',
      `UPDATE members m SET read_seq = greatest(m.read_seq, least($3::bigint, r.last_seq)) FROM rooms r
       WHERE r.id = m.room_id AND m.room_id = $1 AND m.user_id = $2 RETURNING m.read_seq`,
      [roomId, userId, seq],
    );
    return Number(rows[0]?.read_seq ?? seq);
  }
}
