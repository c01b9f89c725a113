/**
 * The rooms of a user, newest activity first, with counts of unread messages and mentions. Numbers
 * make the counts cheap: the first is a subtraction, the second one range of an index.
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { Prisma } from '../../platform/generated/client.js';
import { Policy } from '../../policy/policy.js';
import type { Principal } from '../../sessions/principal.js';
import { textOf } from '../events/text-of.js';
import { roomRows, toRoom } from '../room-query.js';
import { ACTIVE_AT, IS_MINE, unreadMentions } from './sidebar-sql.js';
import { SHOWN_BODY_BYTES, SHOWN_TEXT_CHARS } from './sidebar.schema.js';
import type { Sidebar, SidebarItem, SidebarPatch, SidebarQuery } from './sidebar.schema.js';

interface Row {
  id: string;
  active_ms: bigint;
  last_n: bigint;
  read_n: bigint;
  mentions: number;
  favourite: boolean;
  notify: SidebarItem['notify'];
  peer: { id: string; name: string } | null;
  message_id: string | null;
  seq: bigint;
  sender: string;
  kind: string | null;
  at: Date;
  edited_at: Date | null;
  deleted_at: Date | null;
  body: string | null;
  body_is_cut: boolean;
}

const ACTIVE_MS = Prisma.raw(`(extract(epoch FROM ${ACTIVE_AT}) * 1000)::bigint`);

@Injectable()
export class SidebarRooms {
  private changed: (userId: string, roomId: string) => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  /** `listener` is called after each change of what is a user's alone. */
  onChanged(listener: (userId: string, roomId: string) => void): void {
    this.changed = listener;
  }

  async list({ userId }: Principal, { limit, cursor }: SidebarQuery): Promise<Sidebar> {
    const [ms, id] = cursor?.split('_') ?? [];
    const after =
      ms === undefined
        ? Prisma.sql`true`
        : Prisma.sql`(${ACTIVE_MS}, r.id) < (${BigInt(ms)}, ${id}::uuid)`;
    const rows = await this.rows(userId, after, limit + 1);
    const items = await this.withRooms(userId, rows.slice(0, limit));
    const last = rows[limit - 1];
    const more = rows.length > limit && last !== undefined;
    return { items, next_cursor: more ? `${last.active_ms}_${last.id}` : null };
  }

  /** Refused with `not_a_member` where there is nothing of the caller's to change. */
  async change(principal: Principal, ref: string, patch: SidebarPatch): Promise<SidebarItem> {
    const { room } = await this.policy.authorize(principal, ref, 'read');
    const { userId } = principal;
    const changed = await this.database.prisma.$executeRaw`
      UPDATE members SET favourite = coalesce(${patch.favourite ?? null}, favourite), notify = coalesce(${patch.notify ?? null}, notify)
      WHERE room_id = ${room.id}::uuid AND user_id = ${userId}::uuid AND role IS NOT NULL AND NOT banned`;
    const rows =
      changed === 0 ? [] : await this.rows(userId, Prisma.sql`r.id = ${room.id}::uuid`, 1);
    const [item] = await this.withRooms(userId, rows);
    if (item === undefined) throw new DomainError('not_a_member');
    this.changed(userId, room.id);
    return item;
  }

  /** The page is chosen first: what is looked up for a room is looked up for those of the page. */
  private rows(userId: string, where: Prisma.Sql, limit: number): Promise<Row[]> {
    return this.database.prisma.$queryRaw<Row[]>`
      SELECT p.*, ${Prisma.raw(unreadMentions('p'))} AS mentions, e.message_id, e.seq, e.sender, e.kind, e.at, e.edited_at, e.deleted_at,
        CASE WHEN octet_length(e.body) <= ${SHOWN_BODY_BYTES} THEN e.body
          ELSE to_json(left(message_text(e.body), ${SHOWN_TEXT_CHARS}))::text END AS body,
        coalesce(octet_length(e.body) > ${SHOWN_BODY_BYTES}, false) AS body_is_cut,
        CASE WHEN p.visibility = 'direct' THEN (SELECT jsonb_build_object('id', u.id, 'name', u.name)
          FROM members o JOIN users u ON u.id = o.user_id WHERE o.room_id = p.id AND o.user_id <> p.user_id LIMIT 1) END AS peer
      FROM (
        SELECT r.id, r.visibility, r.last_n, m.room_id, m.user_id, m.read_n, m.favourite, m.notify, r.last_message_seq, ${ACTIVE_MS} AS active_ms
        FROM members m JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ${userId}::uuid AND ${Prisma.raw(IS_MINE)} AND ${where}
        ORDER BY active_ms DESC, r.id DESC LIMIT ${limit}) p
      LEFT JOIN room_events e ON e.room_id = p.id AND e.seq = p.last_message_seq
      ORDER BY p.active_ms DESC, p.id DESC`;
  }

  /** With the present rights of the caller; a room that is not theirs any more is left out. */
  private async withRooms(userId: string, rows: Row[]): Promise<SidebarItem[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const found = await roomRows(
      this.database.prisma,
      userId,
      Prisma.sql`r.id = ANY (${ids}::uuid[])`,
    );
    const rooms = new Map(found.map((row) => [row.id, toRoom(row, userId)]));
    return rows.flatMap((row) => {
      const room = rooms.get(row.id);
      return room === undefined || !room.can.includes('read') ? [] : [toItem(row, room)];
    });
  }
}

function toItem(row: Row, room: SidebarItem['room'] & { role: Role | null }): SidebarItem {
  return {
    room,
    last_message: row.message_id === null ? null : lastMessageOf(row, row.message_id),
    last_n: Number(row.last_n),
    read_n: Number(row.read_n),
    unread: Math.max(0, Number(row.last_n) - Number(row.read_n)),
    mentions: row.mentions,
    favourite: row.favourite,
    notify: row.notify,
    peer: row.peer,
  };
}

function lastMessageOf(row: Row, message_id: string): SidebarItem['last_message'] {
  const value: unknown = row.body === null ? null : JSON.parse(row.body);
  return {
    message_id,
    seq: Number(row.seq),
    n: Number(row.last_n),
    sender: row.sender,
    kind: row.kind ?? '',
    at: row.at.toISOString(),
    edited_at: row.edited_at?.toISOString() ?? null,
    deleted_at: row.deleted_at?.toISOString() ?? null,
    body: row.body_is_cut ? null : value,
    text: textOf(value)?.slice(0, SHOWN_TEXT_CHARS) ?? null,
  };
}
