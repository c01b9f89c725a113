/**
 * The statements of `watch`: the rooms of users, their counts in a room, and the rooms that have
 * later events. Each statement answers for many at once; counts are of one snapshot together with
 * the membership that allows them.
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import { LIMITS } from '@wardroom/protocol/limits';
import { Batcher } from '../../platform/stores/batcher.js';
import { FairGate } from '../../platform/fair-gate.js';
import { Database } from '../../platform/stores/database.js';
import type { Scope } from '../../policy/scopes.js';
import { ACTIVE_AT, IS_MINE, unreadMentions } from './sidebar-sql.js';

export interface RoomPosition {
  id: string;
  /** Of its last event. */
  seq: number;
}

export interface RoomsOfUser {
  rooms: RoomPosition[];
  /** The user has more rooms than are watched. */
  more: boolean;
  /** False: a service account without the scope. */
  allowed: boolean;
}

export interface UserInRoom {
  user: string;
  room: string;
}

/** The last message of a room, and the counts of one user. */
export interface RoomActivity {
  /** Place of the question. */
  i: number;
  n: number;
  seq: number;
  sender: string;
  at: Date;
  unread: number;
  mentions: number;
}

export interface RenamedUser {
  name: string;
  rooms: { id: string; role: Role; direct: boolean }[];
}

/** As for the list of rooms over REST. */
const SCOPE: Scope = 'messages';
/** Each may have a thousand rows, and a process that stands still is fenced. */
const USERS_AT_ONCE = 4;
/** Of a crowd that comes back at once: the pool is there for others, too. */
const READING = { running: 2, perKey: 2, waiting: 10_000, patienceMs: 20_000 };
/** Rooms of a renamed user that are told. */
const RENAMED_ROOMS_MAX = 5_000;

@Injectable()
export class WatchedRooms {
  private readonly reading = new FairGate(READING);
  private readonly users = new Batcher<string, RoomsOfUser>(
    (users) => this.reading.run('', () => this.readRooms(users)),
    USERS_AT_ONCE,
  );

  constructor(private readonly database: Database) {}

  /** Those with the newest activity. */
  roomsOf(user: string): Promise<RoomsOfUser> {
    return this.users.ask(user);
  }

  private async readRooms(users: string[]): Promise<RoomsOfUser[]> {
    const rows = await this.database.hot<{
      user_id: string;
      allowed: boolean;
      id: string | null;
      last_seq: string;
    }>(
      'watched_rooms',
      `SELECT x.user_id, (u.role = 'service' AND NOT $3 = ANY (u.scopes)) IS NOT TRUE AS allowed, r.id, r.last_seq
       FROM unnest($1::uuid[]) AS x (user_id) LEFT JOIN users u ON u.id = x.user_id LEFT JOIN LATERAL (
         SELECT r.id, r.last_seq FROM members m JOIN rooms r ON r.id = m.room_id
         WHERE m.user_id = x.user_id AND ${IS_MINE}
         ORDER BY ${ACTIVE_AT} DESC, r.id DESC LIMIT $2) r ON true`,
      [[...new Set(users)], LIMITS.watchedRooms + 1, SCOPE],
    );
    const byUser = new Map<string, { rooms: RoomPosition[]; allowed: boolean }>();
    for (const { user_id, allowed, id, last_seq } of rows) {
      let user = byUser.get(user_id);
      if (user === undefined) byUser.set(user_id, (user = { rooms: [], allowed }));
      if (id !== null) user.rooms.push({ id, seq: Number(last_seq) });
    }
    return users.map((user) => {
      const { rooms, allowed } = byUser.get(user)!;
      return {
        rooms: allowed ? rooms.slice(0, LIMITS.watchedRooms) : [],
        more: rooms.length > LIMITS.watchedRooms,
        allowed,
      };
    });
  }

  /** No row where the user is no member, or nothing was ever said. */
  async activityOf(asked: readonly UserInRoom[]): Promise<RoomActivity[]> {
    const rows = await this.database.hot<{
      i: string;
      n: string;
      seq: string;
      sender: string;
      at: Date;
      read_n: string;
      mentions: number;
    }>(
      'room_activity',
      `SELECT x.i, r.last_n AS n, r.last_message_seq AS seq, e.sender, e.at, m.read_n, ${unreadMentions('m')} AS mentions
       FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS x (user_id, room_id, i)
       CROSS JOIN LATERAL (SELECT * FROM members m WHERE m.room_id = x.room_id AND m.user_id = x.user_id LIMIT 1) m
       CROSS JOIN LATERAL (SELECT * FROM rooms r WHERE r.id = x.room_id LIMIT 1) r
       CROSS JOIN LATERAL (SELECT e.sender, e.at FROM room_events e WHERE e.room_id = r.id AND e.seq = r.last_message_seq LIMIT 1) e
       WHERE ${IS_MINE}`,
      [asked.map(({ user }) => user), asked.map(({ room }) => room)],
    );
    return rows.map(({ i, n, seq, sender, at, read_n, mentions }) => ({
      i: Number(i) - 1,
      n: Number(n),
      seq: Number(seq),
      sender,
      at,
      unread: Math.max(0, Number(n) - Number(read_n)),
      mentions,
    }));
  }

  /** Those of the rooms that have an event after `seq`. */
  async beyond(known: readonly RoomPosition[]): Promise<RoomPosition[]> {
    const rows = await this.database.hot<{ id: string; last_seq: string }>(
      'rooms_beyond',
      `SELECT r.id, r.last_seq FROM unnest($1::uuid[], $2::bigint[]) AS x (id, seq)
       CROSS JOIN LATERAL (SELECT r.id, r.last_seq FROM rooms r WHERE r.id = x.id LIMIT 1) r
       WHERE r.last_seq > x.seq`,
      [known.map(({ id }) => id), known.map(({ seq }) => seq)],
    );
    return rows.map(({ id, last_seq }) => ({ id, seq: Number(last_seq) }));
  }

  /** Null: there is no such user. */
  async renamed(user: string): Promise<RenamedUser | null> {
    const rows = await this.database.hot<{
      name: string;
      id: string | null;
      role: Role;
      direct: boolean;
    }>(
      'renamed_user',
      `SELECT u.name, r.id, r.role, r.direct FROM users u LEFT JOIN LATERAL (
         SELECT r.id, m.role, r.visibility = 'direct' AS direct FROM members m JOIN rooms r ON r.id = m.room_id
         WHERE m.user_id = u.id AND ${IS_MINE}
         ORDER BY ${ACTIVE_AT} DESC LIMIT $2) r ON true
       WHERE u.id = $1`,
      [user, RENAMED_ROOMS_MAX],
    );
    if (rows[0] === undefined) return null;
    const rooms = rows.flatMap(({ id, role, direct }) =>
      id === null ? [] : [{ id, role, direct }],
    );
    return { name: rows[0].name, rooms };
  }
}
