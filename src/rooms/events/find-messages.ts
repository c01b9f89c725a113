/**
 * Single messages, their earlier bodies, and pins. Each statement checks the right to read by
 * itself: it shows nothing of a room that the caller may not read at that moment.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { moderates } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import type { Principal } from '../../sessions/principal.js';
import { MESSAGE_COLUMNS, READABLE_ROOM, toItem } from './message-items.js';
import type { MessageRow } from './message-items.js';
import type { Edit, EditList, Message, PinList } from './message.schema.js';

/** Edits of a message that are shown, the newest ones. */
const EDITS_MAX = 200;
const NO_MESSAGE = { detail: 'no such message in the room' };

@Injectable()
export class FindMessages {
  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  async one(principal: Principal, room: string, messageId: string): Promise<Message> {
    const { id } = (await this.policy.authorize(principal, room, 'read')).room;
    const rows = await this.database.hot<MessageRow>(
      'message_by_id',
      `WITH readable AS (${READABLE_ROOM})
       SELECT ${MESSAGE_COLUMNS} FROM readable JOIN room_events e ON e.message_id = $4 AND e.type = 'message' AND e.room_id = readable.id`,
      [id, principal.userId, principal.tenantId, messageId],
    );
    if (rows[0] === undefined) throw new DomainError('not_found', NO_MESSAGE);
    return toItem(rows[0]);
  }

  /** Bodies of a message, oldest first; for its author and moderators. */
  async edits(principal: Principal, room: string, messageId: string): Promise<EditList> {
    const { room: found, role } = await this.policy.authorize(principal, room, 'read');
    const rows = await this.database.hot<{
      seq: string;
      sender: string;
      author: string;
      at: Date;
      body: string | null;
      deleted: boolean;
    }>(
      'message_edits',
      `WITH readable AS (${READABLE_ROOM}), message AS (
         SELECT e.* FROM readable JOIN room_events e ON e.message_id = $4 AND e.type = 'message' AND e.room_id = readable.id)
       SELECT x.*, m.sender AS author, m.deleted_at IS NOT NULL AS deleted FROM message m CROSS JOIN LATERAL (
         SELECT m.seq, m.sender, m.at, coalesce(m.original, m.body) AS body
         UNION ALL
         (SELECT e.seq, e.sender, e.at, e.body FROM room_events e
          WHERE e.message_id = $4 AND e.type = 'message_edited' AND e.type <> 'message' ORDER BY e.seq DESC LIMIT ${EDITS_MAX})) x
       ORDER BY x.seq`,
      [found.id, principal.userId, principal.tenantId, messageId],
    );
    if (rows[0] === undefined || rows[0].deleted) throw new DomainError('not_found', NO_MESSAGE);
    if (rows[0].author !== principal.userId && !moderates(role))
      throw new DomainError('role_required', { detail: 'the author and moderators see edits' });
    const items = rows.map(({ seq, sender, at, body }): Edit => ({
      seq: Number(seq),
      sender,
      at: at.toISOString(),
      body: body === null ? null : JSON.parse(body),
    }));
    return { items };
  }

  /** Newest first. */
  async pins(principal: Principal, room: string): Promise<PinList> {
    const { id } = (await this.policy.authorize(principal, room, 'read')).room;
    const rows = await this.database.hot<MessageRow & { pinned_by: string; pinned_at: Date }>(
      'pins',
      `WITH readable AS (${READABLE_ROOM})
       SELECT ${MESSAGE_COLUMNS}, p.pinned_by, p.pinned_at FROM readable JOIN pins p ON p.room_id = readable.id
       JOIN room_events e ON e.message_id = p.message_id AND e.type = 'message' AND e.room_id = readable.id ORDER BY p.seq DESC`,
      [id, principal.userId, principal.tenantId],
    );
    return {
      items: rows.map((row) => ({
        message: toItem(row),
        pinned_by: row.pinned_by,
        pinned_at: row.pinned_at.toISOString(),
      })),
    };
  }
}
