/**
 * Facts by room and user. A room's entry is one consistent picture: everything in it is true as of
 * its epoch. Misses of one turn (under load: of a few milliseconds) are one query; log events move
 * the picture forward, a load that saw further replaces it, and a load that an event overtook is
 * repeated. Believed only while the lease holds: the log keeps it true.
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import { AuthorityDispatcher } from '../authority/authority-dispatcher.js';
import type { AuthorityEvent } from '../authority/events.js';
import { Database } from '../platform/stores/database.js';
import { Batcher } from '../platform/stores/batcher.js';
import type { UserRole } from '../platform/stores/system-tenant.js';
import { isId } from '../platform/ids.js';
import { standingOf } from './facts.js';
import type { Facts, MemberFacts, RoomFacts, UserFacts } from './facts.js';

const ENTRIES_MAX = 200_000;
interface Wanted {
  tenantId: string;
  ref: string;
  userId: string;
}

interface Row {
  i: string;
  id: string | null;
  slug: string | null;
  visibility: RoomFacts['visibility'];
  posting: RoomFacts['posting'];
  archived: boolean;
  kinds: RoomFacts['kinds'];
  open: boolean;
  epoch: string;
  room_version: number;
  role: Role | null;
  muted_until: Date | null;
  banned: boolean | null;
  member_version: number | null;
  user_role: UserRole | null;
  user_state: string | null;
  user_version: number | null;
  user_scopes: string[] | null;
}

const LOAD = `
  SELECT x.i, r.id, r.slug, r.visibility, r.posting, r.archived, r.kinds, r.state = 'open' AS open, r.authz_epoch AS epoch, r.version AS room_version,
    m.role, m.muted_until, m.banned, m.version AS member_version, u.role AS user_role, u.state AS user_state, u.version AS user_version, u.scopes AS user_scopes
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS x (tenant_id, room_id, slug, user_id, i)
  LEFT JOIN LATERAL (
    SELECT * FROM rooms a WHERE a.id = x.room_id AND a.tenant_id = x.tenant_id
    UNION ALL
    SELECT * FROM rooms b WHERE b.tenant_id = x.tenant_id AND b.slug = x.slug AND b.state = 'open' AND x.room_id IS NULL
  ) r ON true
  LEFT JOIN LATERAL (SELECT * FROM members a WHERE a.room_id = r.id AND a.user_id = x.user_id LIMIT 1) m ON true
  LEFT JOIN LATERAL (SELECT * FROM users a WHERE a.id = x.user_id AND a.tenant_id = x.tenant_id LIMIT 1) u ON true
  ORDER BY x.i`;

interface RoomEntry {
  room: RoomFacts;
  readonly members: Map<string, MemberFacts>;
}

@Injectable()
export class MembershipCache {
  private readonly rooms = new Map<string, RoomEntry>();
  private readonly slugs = new Map<string, string>();
  private readonly users = new Map<string, UserFacts>();
  private members = 0;
  private era = 0;
  private readonly wanted = new Batcher<Wanted, Facts>((batch) => this.query(batch));
  private loading = 0;
  /** Epochs of rooms and versions of users that the log brought while a load was under way. */
  private readonly overtaken = new Map<string, number>();

  constructor(
    private readonly database: Database,
    dispatcher: AuthorityDispatcher,
  ) {
    dispatcher.register('caches', {
      event: (event, n) => this.onAuthority(event, n !== null),
      reload: () => this.forgetAll(),
    });
  }

  /** From memory only; undefined when anything is missing. */
  peek(tenantId: string, ref: string, userId: string): Facts | undefined {
    const roomId = isId(ref) ? ref : this.slugs.get(`${tenantId}:${ref}`);
    const entry = roomId === undefined ? undefined : this.rooms.get(roomId);
    const user = this.users.get(userId);
    if (entry === undefined || user === undefined || entry.room.tenantId !== tenantId)
      return undefined;
    if (roomId !== ref && entry.room.slug !== ref) return undefined;
    const member = entry.members.get(userId);
    return member === undefined ? undefined : { room: entry.room, member, user };
  }

  /** From Postgres; remembered. */
  load(tenantId: string, ref: string, userId: string): Promise<Facts> {
    return this.wanted.ask({ tenantId, ref, userId });
  }

  private async query(batch: Wanted[]): Promise<(Facts | Promise<Facts>)[]> {
    this.loading += 1;
    const { era } = this;
    try {
      const rows = await this.database.hot<Row>('policy_facts', LOAD, [
        batch.map((wanted) => wanted.tenantId),
        batch.map((wanted) => (isId(wanted.ref) ? wanted.ref : null)),
        batch.map((wanted) => (isId(wanted.ref) ? null : wanted.ref)),
        batch.map((wanted) => wanted.userId),
      ]);
      return rows.map((row, i) => this.remember(batch[i]!, factsOf(batch[i]!.tenantId, row), era));
    } finally {
      this.loading -= 1;
      if (this.loading === 0) this.overtaken.clear();
    }
  }

  /** Remembers the facts and answers them; an event overtook them: once more. */
  private remember(
    { tenantId, ref, userId }: Wanted,
    facts: Facts,
    era: number,
  ): Facts | Promise<Facts> {
    const { room, member, user } = facts;
    const known = room === null ? undefined : this.rooms.get(room.id);
    const newestEpoch =
      room === null ? 0 : Math.max(known?.room.epoch ?? 0, this.overtaken.get(room.id) ?? 0);
    if (
      era !== this.era ||
      (room !== null && room.epoch < newestEpoch) ||
      user.version < (this.overtaken.get(userId) ?? 0)
    )
      return this.load(tenantId, ref, userId);
    remember(this.users, userId, user);
    if (room !== null) this.rememberMember(known, room, userId, member);
    return facts;
  }

  /**
   * A load that saw a later epoch than the picture starts a new one: the other members in it may be
   * older.
   */
  private rememberMember(
    known: RoomEntry | undefined,
    room: RoomFacts,
    userId: string,
    member: MemberFacts,
  ): void {
    let entry = known;
    if (entry === undefined || room.epoch > entry.room.epoch) {
      this.forget(room.id);
      entry = { room, members: new Map() };
      this.rooms.set(room.id, entry);
    }
    entry.room = room;
    if (room.slug !== null) remember(this.slugs, `${room.tenantId}:${room.slug}`, room.id);
    if (!entry.members.has(userId)) this.members += 1;
    entry.members.set(userId, member);
    while (this.members > ENTRIES_MAX) this.forget(this.rooms.keys().next().value!);
  }

  /** A load that is under way may be older than what was missed: it is repeated. */
  private forgetAll(): void {
    // Of a history that may be lost; loads under way are repeated by `era`.
    this.overtaken.clear();
    this.rooms.clear();
    this.slugs.clear();
    this.users.clear();
    this.members = 0;
    this.era += 1;
  }

  private forget(roomId: string): void {
    this.members -= this.rooms.get(roomId)?.members.size ?? 0;
    this.rooms.delete(roomId);
  }

  /**
   * Only what the log numbered moves the epoch: an addition of rights may overtake it, or come long
   * after.
   */
  private onAuthority(event: AuthorityEvent, numbered: boolean): void {
    if ('onlyShown' in event && event.onlyShown === true) return;
    if (event.kind === 'user.changed') {
      this.users.delete(event.user);
      if (this.loading > 0)
        this.overtaken.set(
          event.user,
          Math.max(event.version, this.overtaken.get(event.user) ?? 0),
        );
    } else if (event.kind === 'member.changed') {
      if (numbered) this.advance(event.room, event.epoch);
      this.forgetMember(event.room, event.user);
    } else if (event.kind === 'room.changed') {
      if (numbered && this.loading > 0)
        this.overtaken.set(event.room, Math.max(event.epoch, this.overtaken.get(event.room) ?? 0));
      this.forget(event.room);
    }
  }

  /**
   * Moves a room's picture to `epoch`. The very next epoch changes one member; a leap forgets the
   * picture.
   */
  private advance(roomId: string, epoch: number): void {
    if (this.loading > 0)
      this.overtaken.set(roomId, Math.max(epoch, this.overtaken.get(roomId) ?? 0));
    const entry = this.rooms.get(roomId);
    if (entry === undefined) return;
    if (epoch > entry.room.epoch + 1) return this.forget(roomId);
    if (epoch > entry.room.epoch) entry.room = { ...entry.room, epoch };
  }

  private forgetMember(roomId: string, userId: string): void {
    if (this.rooms.get(roomId)?.members.delete(userId) === true) this.members -= 1;
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= ENTRIES_MAX && !map.has(key)) map.delete(map.keys().next().value!);
  map.set(key, value);
}

function factsOf(tenantId: string, row: Row): Facts {
  return {
    room:
      row.id === null
        ? null
        : {
            id: row.id,
            tenantId,
            slug: row.slug,
            visibility: row.visibility,
            posting: row.posting,
            open: row.open,
            archived: row.archived,
            kinds: row.kinds,
            epoch: Number(row.epoch),
            version: row.room_version,
          },
    ...standingOf(row),
  };
}
