/**
 * A room with the caller's facts in one statement: the same picture decides what they may see and
 * is what they see.
 */
import type { Role } from '@wardroom/protocol';
import { Prisma } from '../platform/generated/client.js';
import type { Tx } from '../platform/stores/database.js';
import type { UserRole } from '../platform/stores/system-tenant.js';
import { decideRoom, rightsIn } from '../policy/decide-room.js';
import { standingOf } from '../policy/facts.js';
import type { Facts, RoomFacts } from '../policy/facts.js';
import type { Room } from './room.schema.js';

export interface RoomRow {
  id: string;
  tenant_id: string;
  slug: string | null;
  name: string;
  visibility: RoomFacts['visibility'];
  posting: RoomFacts['posting'];
  topic: string | null;
  description: string | null;
  archived: boolean;
  kinds: RoomFacts['kinds'];
  open: boolean;
  epoch: bigint;
  version: number;
  last_seq: bigint;
  created_at: Date;
  role: Role | null;
  muted_until: Date | null;
  banned: boolean | null;
  member_version: number | null;
  user_role: UserRole | null;
  user_state: string | null;
  user_version: number | null;
  user_scopes: string[] | null;
  /** Null: not asked for. */
  members_count: number | null;
}

const COUNTED = Prisma.sql`(SELECT count(*)::integer FROM members c WHERE c.room_id = r.id AND c.role IS NOT NULL AND NOT c.banned)`;

/**
 * `where` speaks of `r` (rooms), `m` (the caller's member row) and `u` (the caller's user row).
 * Counting members is for one room, not for a page of them.
 */
export function roomRows(
  tx: Tx,
  userId: string,
  where: Prisma.Sql,
  members: 'counted' | 'uncounted' = 'uncounted',
): Promise<RoomRow[]> {
  return tx.$queryRaw<RoomRow[]>`
    SELECT r.id, r.tenant_id, r.slug, r.name, r.visibility, r.posting, r.topic, r.description, r.archived, r.kinds, r.state = 'open' AS open, r.authz_epoch AS epoch, r.version, r.last_seq, r.created_at,
      m.role, m.muted_until, m.banned, m.version AS member_version, u.role AS user_role, u.state AS user_state, u.version AS user_version, u.scopes AS user_scopes,
      ${members === 'counted' ? COUNTED : Prisma.sql`NULL::integer`} AS members_count
    FROM rooms r
    LEFT JOIN members m ON m.room_id = r.id AND m.user_id = ${userId}::uuid
    LEFT JOIN users u ON u.id = ${userId}::uuid AND u.tenant_id = r.tenant_id
    WHERE ${where}`;
}

export function factsOf(row: RoomRow): Facts {
  return {
    room: {
      id: row.id,
      tenantId: row.tenant_id,
      slug: row.slug,
      visibility: row.visibility,
      posting: row.posting,
      open: row.open,
      archived: row.archived,
      kinds: row.kinds,
      epoch: Number(row.epoch),
      version: row.version,
    },
    ...standingOf(row),
  };
}

export function toRoom(row: RoomRow, userId: string): Room {
  const facts = factsOf(row);
  const seen = decideRoom(userId, facts, 'read');
  return {
    id: row.id,
    tenant_id: row.tenant_id,
    slug: row.slug,
    name: row.name,
    visibility: row.visibility,
    posting: row.posting,
    topic: row.topic,
    description: row.description,
    archived: row.archived,
    kinds: row.kinds,
    seq: Number(row.last_seq),
    role: seen.allow ? seen.role : null,
    can: rightsIn(facts),
    ...(row.members_count === null ? {} : { members_count: row.members_count }),
    created_at: row.created_at.toISOString(),
  };
}
