/**
 * Single messages, their earlier bodies, pins, and the search. Each statement checks the right to
 * read by itself: it shows nothing of a room that the caller may not read at that moment.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { moderates } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import { READABLE } from '../../policy/readable-sql.js';
import type { Principal } from '../../sessions/principal.js';
import { MESSAGE_COLUMNS, READABLE_ROOM, toItem } from './message-items.js';
import type { MessageRow } from './message-items.js';
import type {
  Edit,
  EditList,
  Message,
  PinList,
  SearchPage,
  SearchQuery,
} from './message.schema.js';

/** Edits of a message that are shown, the newest ones. */
const EDITS_MAX = 200;
const WORDS = "websearch_to_tsquery('simple', $3)";
/** Marks around a hit: of the private use area, and blanks where a text has them itself. */
const [HIT_BEGIN, HIT_END] = ['\u{E000}', '\u{E001}'];
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

  /**
   * Words of messages of all rooms that the caller may read, or of one, newest first. The index is
   * asked for the words together with the tenant or the room, so others cost nothing.
   */
  async search(principal: Principal, query: SearchQuery): Promise<SearchPage> {
    const { q, sender, before, after, limit, cursor } = query;
    await this.requireWords(q);
    const room =
      query.room === undefined
        ? null
        : (await this.policy.authorize(principal, query.room, 'read')).room.id;
    const rows = await this.database.hot<MessageRow & { marked: string }>(
      'search',
      `WITH hits AS (
         SELECT e.message_id FROM room_events e JOIN rooms r ON r.id = e.room_id
         LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1
         LEFT JOIN users u ON u.id = $1 AND u.tenant_id = r.tenant_id
         WHERE e.words @@ (${WORDS} && $4::tsquery) AND e.words IS NOT NULL AND r.tenant_id = $2 AND ${READABLE}
           AND ($5::uuid IS NULL OR e.sender = $5) AND ($6::timestamptz IS NULL OR e.at < $6) AND ($7::timestamptz IS NULL OR e.at > $7)
           AND ($8::uuid IS NULL OR e.message_id < $8)
         ORDER BY e.message_id DESC LIMIT $9)
       SELECT ${MESSAGE_COLUMNS}, ts_headline('simple', translate(message_text(e.body), '${HIT_BEGIN}${HIT_END}', '  '), ${WORDS},
         'HighlightAll=true, StartSel=${HIT_BEGIN}, StopSel=${HIT_END}') AS marked
       FROM hits JOIN room_events e ON e.message_id = hits.message_id AND e.type = 'message' ORDER BY e.message_id DESC`,
      [
        principal.userId,
        principal.tenantId,
        q,
        room === null ? `'t:${principal.tenantId}'` : `'r:${room}'`,
        sender ?? null,
        before ?? null,
        after ?? null,
        cursor ?? null,
        limit + 1,
      ],
    );
    const items = rows
      .slice(0, limit)
      .map((row) => ({ message: toItem(row), ranges: hitsOf(row.marked) }));
    return {
      items,
      next_cursor: rows.length > limit ? items.at(-1)!.message.message_id : null,
    };
  }

  /** Only exclusions would read every message of the tenant. */
  private async requireWords(q: string): Promise<void> {
    const [row] = await this.database.hot<{ tree: string }>(
      'search_words',
      `SELECT querytree(websearch_to_tsquery('simple', $1)) AS tree`,
      [q],
    );
    if (row!.tree === '' || row!.tree === 'T')
      throw new DomainError('invalid_request', {
        errors: [{ path: 'q', message: 'at least one word to find' }],
      });
  }
}

/** Where the marks stood in the text, in UTF-16 units of the text without them. */
function hitsOf(marked: string): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let marks = 0;
  let from = 0;
  for (let i = 0; i < marked.length; i += 1) {
    if (marked[i] !== HIT_BEGIN && marked[i] !== HIT_END) continue;
    if (marked[i] === HIT_BEGIN) from = i - marks;
    else ranges.push({ from, to: i - marks });
    marks += 1;
  }
  return ranges;
}
