/**
 * The search in messages. Its statement checks the right to read by itself: it shows nothing of a
 * room that the caller may not read at that moment.
 */
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors.js';
import { FairGate } from '../../platform/fair-gate.js';
import { Database, sqlState } from '../../platform/stores/database.js';
import { Policy } from '../../policy/policy.js';
import { READABLE } from '../../policy/readable-sql.js';
import type { Principal } from '../../sessions/principal.js';
import { MESSAGE_COLUMNS, toItem } from './message-items.js';
import type { MessageRow } from './message-items.js';
import type { SearchPage, SearchQuery } from './message.schema.js';

/** Postgres works for one caller at a time, and most of the pool is there for the others. */
const SEARCHES = { running: 4, perKey: 1, waiting: 8, patienceMs: 5_000 };
/** The newest messages of the installation: they hold a page of a frequent word. */
const NEWEST = 10_000;
/** A caller who reads so few rooms has their messages looked up by room. */
const FEW_ROOMS = 100;
const WORDS = "websearch_to_tsquery('simple', $3)";
const AFTER_ALL = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
/** Marks around a hit: of the private use area, and blanks where a text has them itself. */
const [HIT_BEGIN, HIT_END] = ['\u{E000}', '\u{E001}'];
const QUERY_CANCELED = '57014';

/** Of these messages the ones that are asked for and may be read, newest first. */
const readable = (messages: string): string => `
  SELECT x.message_id FROM ${messages} x JOIN rooms r ON r.id = x.room_id
  LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1
  LEFT JOIN users u ON u.id = $1 AND u.tenant_id = r.tenant_id
  WHERE r.tenant_id = $2 AND ${READABLE} AND ($5::uuid IS NULL OR r.id = $5) AND ($6::uuid IS NULL OR x.sender = $6)
    AND ($7::timestamptz IS NULL OR x.at < $7) AND ($8::timestamptz IS NULL OR x.at > $8)`;
const PAGE = 'ORDER BY x.message_id DESC LIMIT $10';

/**
 * A frequent word is found among the newest messages, a rare one by the index of words. The second
 * way sorts all that it finds. It is taken when the first did not fill the page: Postgres runs the
 * parts of a UNION ALL one after the other, and stops at the LIMIT. Words and hits are made once:
 * without statistics the planner read the newest messages again for each room.
 */
const SEARCH = `
  WITH asked AS MATERIALIZED (SELECT ${WORDS} && $4::tsquery AS words),
  newest AS MATERIALIZED (
    SELECT e.message_id, e.room_id, e.sender, e.at, e.words FROM room_events e
    WHERE e.type = 'message' AND e.message_id < coalesce($9::uuid, ${AFTER_ALL}) ORDER BY e.message_id DESC LIMIT ${NEWEST}),
  recent AS MATERIALIZED (SELECT * FROM newest WHERE words @@ (SELECT words FROM asked)),
  older AS MATERIALIZED (
    SELECT e.message_id, e.room_id, e.sender, e.at FROM room_events e
    WHERE e.words @@ (SELECT words FROM asked) AND e.words IS NOT NULL),
  hits AS (
    (${readable('recent')} ${PAGE})
    UNION ALL
    (${readable('older')} AND x.message_id < (SELECT min(message_id::text)::uuid FROM newest) ${PAGE})
    LIMIT $10)
  SELECT ${MESSAGE_COLUMNS}, ts_headline('simple', translate(message_text(e.body), '${HIT_BEGIN}${HIT_END}', '  '), ${WORDS},
    'HighlightAll=true, StartSel=${HIT_BEGIN}, StopSel=${HIT_END}') AS marked
  FROM hits JOIN room_events e ON e.message_id = hits.message_id AND e.type = 'message' ORDER BY e.message_id DESC`;

/** `rooms`: the first ones that the caller may read; null where a role opens all of the tenant. */
const PLAN = `
  SELECT querytree(websearch_to_tsquery('simple', $1)) AS tree,
    CASE WHEN EXISTS (SELECT 1 FROM users a WHERE a.id = $2 AND a.role IN ('admin', 'service')) THEN NULL ELSE ARRAY(
      (SELECT m.room_id FROM members m WHERE m.user_id = $2 AND m.role IS NOT NULL LIMIT ${FEW_ROOMS + 1})
      UNION
      (SELECT r.id FROM rooms r WHERE r.tenant_id = $3 AND r.state = 'open' AND r.visibility = 'public' LIMIT ${FEW_ROOMS + 1})) END AS rooms`;

@Injectable()
export class SearchMessages {
  private readonly gate = new FairGate(SEARCHES);

  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  /** Words of messages of all rooms that the caller may read, or of one, newest first. */
  search(principal: Principal, query: SearchQuery): Promise<SearchPage> {
    return this.gate.run(principal.userId, async () => {
      const room =
        query.room === undefined
          ? null
          : (await this.policy.authorize(principal, query.room, 'read')).room.id;
      const place = await this.placeOf(principal, query.q, room);
      return this.pageOf(principal, query, room, place);
    });
  }

  private async pageOf(
    { userId, tenantId }: Principal,
    { q, sender, before, after, limit, cursor }: SearchQuery,
    room: string | null,
    place: string,
  ): Promise<SearchPage> {
    const bounds = [room, sender, before, after, cursor].map((bound) => bound ?? null);
    const values = [userId, tenantId, q, place, ...bounds, limit + 1];
    const rows = await this.database
      .hot<MessageRow & { marked: string }>('search', SEARCH, values)
      .catch((error: unknown) => {
        if (sqlState(error) === QUERY_CANCELED) throw tooMuch();
        throw error;
      });
    const items = rows
      .slice(0, limit)
      .map((row) => ({ message: toItem(row), ranges: hitsOf(row.marked) }));
    return {
      items,
      next_cursor: rows.length > limit ? items.at(-1)!.message.message_id : null,
    };
  }

  /**
   * Lexemes of the room, of the few rooms of the caller, or of the tenant. They are asked for
   * together with the words, so that the messages of others cost nothing; no right depends on them.
   */
  private async placeOf(
    { userId, tenantId }: Principal,
    q: string,
    room: string | null,
  ): Promise<string> {
    const [row] = await this.database.hot<{ tree: string; rooms: string[] | null }>(
      'search_plan',
      PLAN,
      [q, userId, tenantId],
    );
    const { tree, rooms } = row!;
    // Only exclusions would read every message of the tenant.
    if (tree === '' || tree === 'T') throw invalid('at least one word to find');
    if (room !== null) return `'r:${room}'`;
    if (rooms === null || rooms.length === 0 || rooms.length > FEW_ROOMS) return `'t:${tenantId}'`;
    return rooms.map((id) => `'r:${id}'`).join(' | ');
  }
}

const invalid = (message: string): DomainError =>
  new DomainError('invalid_request', { errors: [{ path: 'q', message }] });
const tooMuch = (): DomainError =>
  invalid('too many messages to look at: name another word, a room or a time');

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
