/** Reading rooms: those a principal may see, each with what they may do in it. */
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { Prisma } from '../platform/generated/client.js';
import { isId } from '../platform/ids.js';
import { page } from '../platform/zod.js';
import type { PageQuery } from '../platform/zod.js';
import { decideRoom } from '../policy/decide-room.js';
import { Decisions } from '../policy/decisions.js';
import { READABLE } from '../policy/readable-sql.js';
import type { Principal } from '../sessions/principal.js';
import { factsOf, roomRows, toRoom } from './room-query.js';
import type { Room, RoomPage } from './room.schema.js';

/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class Rooms {
  constructor(
    private readonly database: Database,
    private readonly decisions: Decisions,
  ) {}

  /** A page of each of the ways in, merged: what others have is not looked at. */
  async list(
    { userId, tenantId }: Principal,
    { limit, cursor = FIRST }: PageQuery,
  ): Promise<RoomPage> {
    const next = Prisma.sql`ORDER BY id LIMIT ${limit + 1}`;
    const notBanned = Prisma.sql`NOT EXISTS (SELECT 1 FROM members b WHERE b.room_id = r.id AND b.user_id = ${userId}::uuid AND b.banned)`;
    const open = Prisma.sql`r.tenant_id = ${tenantId}::uuid AND r.state = 'open' AND r.id > ${cursor}::uuid AND ${notBanned}`;
    // Rooms that are known by id are looked up by it: no index of all open rooms of a tenant serves
    // these comparisons, whatever the planner knows.
    const ofTenant = Prisma.sql`r.tenant_id IS NOT DISTINCT FROM ${tenantId}::uuid AND r.state IS NOT DISTINCT FROM 'open'`;
    const candidates = Prisma.sql`
      (SELECT r.id FROM members m JOIN rooms r ON r.id = m.room_id
        WHERE m.user_id = ${userId}::uuid AND m.role IS NOT NULL AND m.room_id > ${cursor}::uuid AND ${ofTenant} AND ${notBanned} ORDER BY m.room_id LIMIT ${limit + 1})
      UNION (SELECT r.id FROM rooms r WHERE ${open} AND r.visibility = 'public' ${next})
      UNION (SELECT r.id FROM rooms r WHERE ${open} AND r.visibility <> 'direct'
        AND EXISTS (SELECT 1 FROM users a WHERE a.id = ${userId}::uuid AND a.role IN ('admin', 'service')) ${next})`;
    // An array is looked up by its ids; of a set the planner may make a walk over all rooms of the
    // tenant.
    const where = Prisma.sql`${ofTenant} AND r.id = ANY (ARRAY(${candidates})) AND ${Prisma.raw(READABLE)} ORDER BY r.id LIMIT ${limit + 1}`;
    const rows = await roomRows(this.database.prisma, userId, where);
    return page(
      rows.map((row) => toRoom(row, userId)),
      limit,
    );
  }

  async find(principal: Principal, ref: string): Promise<Room> {
    const named = isId(ref)
      ? Prisma.sql`r.id = ${ref}::uuid`
      : Prisma.sql`r.slug = ${ref} AND r.state = 'open'`;
    const where = Prisma.sql`r.tenant_id = ${principal.tenantId}::uuid AND ${named}`;
    const [row] = await roomRows(this.database.prisma, principal.userId, where, 'counted');
    if (row === undefined)
      throw new DomainError('not_found', { detail: 'no such room in the tenant' });
    const facts = factsOf(row);
    const decision = decideRoom(principal.userId, facts, 'read');
    return decision.allow
      ? toRoom(row, principal.userId)
      : this.decisions.refuse(principal, row.id, 'read', decision, facts);
  }
}
