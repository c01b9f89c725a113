/** Members as rows, and the one place that changes such a row. */
import type { Role } from '@wardroom/protocol';
import { recordAudit } from '../../audit/record-audit.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { Prisma } from '../../platform/generated/client.js';
import type { UserRole } from '../../platform/stores/system-tenant.js';
import { ownsRooms, rankOf } from '../../policy/decide-room.js';
import type { MemberFacts } from '../../policy/facts.js';
import type { LockedRoom } from '../locked-room.js';
import type { Member } from './member.schema.js';

/** The fields that a change may set. */
export interface MembershipState {
  readonly role: Role | null;
  readonly muted_until: Date | null;
  readonly banned: boolean;
}

export interface MemberRow extends MembershipState {
  user_id: string;
  name: string;
  user_role: UserRole;
  /** 0: never had a row. */
  version: number;
  created_at: Date;
}

/** `where` speaks of `u` (users) and `m` (their member row in the room, if any). */
export function memberRows(tx: Tx, roomId: string, where: Prisma.Sql): Promise<MemberRow[]> {
  return tx.$queryRaw<MemberRow[]>`
    SELECT u.id AS user_id, u.name, u.role AS user_role, m.role, m.muted_until, coalesce(m.banned, false) AS banned,
      coalesce(m.version, 0) AS version, coalesce(m.created_at, clock_timestamp()) AS created_at
    FROM users u LEFT JOIN members m ON m.room_id = ${roomId}::uuid AND m.user_id = u.id
    WHERE ${where}`;
}

/**
 * A user of the room's tenant, member or not. Operators and auditors have no rooms, so nobody adds
 * or bans one.
 */
export async function findUser(room: LockedRoom, userId: string): Promise<MemberRow> {
  const where = Prisma.sql`u.id = ${userId}::uuid AND u.tenant_id = ${room.row.tenant_id}::uuid AND u.role NOT IN ('operator', 'auditor', 'service')`;
  const [row] = await memberRows(room.tx, room.id, where);
  if (row === undefined)
    throw new DomainError('not_found', { detail: 'no such user in the tenant' });
  return row;
}

/** As the ladders want it: a tenant admin counts as owner, so no moderator outranks one. */
export function targetFacts(row: MemberRow): MemberFacts {
  const role = ownsRooms(row.user_role) ? 'owner' : row.role;
  return {
    role,
    mutedUntilMs: row.muted_until?.getTime() ?? null,
    banned: row.banned,
    version: row.version,
  };
}

/** Writes `after`, notes the event and answers the row. Nothing happens when nothing differs. */
export async function setStanding(
  room: LockedRoom,
  before: MemberRow,
  after: MembershipState,
): Promise<MemberRow> {
  if (!differs(before, after)) return before;
  await keepAnOwner(room, before, after);
  const shrinks = shrinksStanding(before, after);
  const epoch = await room.epoch(shrinks);
  const rows = await room.tx.$queryRaw<{ version: number; created_at: Date }[]>`
    INSERT INTO members (room_id, user_id, role, muted_until, banned, read_seq, read_n)
    SELECT r.id, ${before.user_id}::uuid, ${after.role}, ${after.muted_until?.toISOString() ?? null}::timestamptz, ${after.banned}, r.last_seq, r.last_n
    FROM rooms r WHERE r.id = ${room.id}::uuid
    ON CONFLICT (room_id, user_id) DO UPDATE
      SET role = EXCLUDED.role, muted_until = EXCLUDED.muted_until, banned = EXCLUDED.banned, version = members.version + 1,
        read_seq = CASE WHEN members.role IS NULL THEN EXCLUDED.read_seq ELSE members.read_seq END,
        read_n = CASE WHEN members.role IS NULL THEN EXCLUDED.read_n ELSE members.read_n END
    RETURNING version, created_at`;
  const row = { ...before, ...after, ...rows[0]! };
  recordAudit(room.tx, {
    event: 'privilege_permissions_changed',
    user: row.user_id,
    detail: { object: 'room', room: room.id, from: standingOf(before), to: standingOf(after) },
  });
  const { role, banned, version } = row;
  room.note(shrinks, {
    kind: 'member.changed',
    room: room.id,
    user: row.user_id,
    role,
    muted_until: isoOrNull(row.muted_until),
    banned,
    version,
    epoch,
    was: before.banned ? null : before.role,
  });
  return row;
}

export function toMember(roomId: string, row: MemberRow): Member {
  const { user_id, name, role, banned, version } = row;
  return {
    room_id: roomId,
    user_id,
    name,
    role,
    muted_until: isoOrNull(row.muted_until),
    banned,
    version,
    created_at: row.created_at.toISOString(),
  };
}

/** Does this take anything from the member? Then it moves the epoch; else it only adds rights. */
export function shrinksStanding(before: MembershipState, after: MembershipState): boolean {
  const longerMuted = (after.muted_until?.getTime() ?? 0) > (before.muted_until?.getTime() ?? 0);
  return (
    rankOf(after.role) < rankOf(before.role) || (after.banned && !before.banned) || longerMuted
  );
}

function differs(before: MembershipState, after: MembershipState): boolean {
  return (
    before.role !== after.role ||
    before.banned !== after.banned ||
    before.muted_until?.getTime() !== after.muted_until?.getTime()
  );
}

/** Counted under the room's lock, so two owners cannot leave at once. A banned owner is none. */
async function keepAnOwner(
  room: LockedRoom,
  before: MemberRow,
  after: MembershipState,
): Promise<void> {
  const owns = (standing: MembershipState) => standing.role === 'owner' && !standing.banned;
  if (!owns(before) || owns(after)) return;
  const others = await room.tx.$queryRaw<{ found: boolean }[]>`
    SELECT EXISTS (SELECT 1 FROM members WHERE room_id = ${room.id}::uuid AND role = 'owner' AND NOT banned AND user_id <> ${before.user_id}::uuid) AS found`;
  if (others[0]?.found !== true) throw new DomainError('last_owner');
}

const standingOf = ({ role, muted_until, banned }: MembershipState) => ({
  role,
  muted_until: isoOrNull(muted_until),
  banned,
});

const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;
