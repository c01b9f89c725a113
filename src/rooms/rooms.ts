/** Reading rooms: those a principal may see, each with what they may do in it. */
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Prisma } from '../platform/generated/client.js';
import { isId } from '../platform/ids.js';
import { page } from '../platform/zod.js';
import type { PageQuery } from '../platform/zod.js';
import { decideRoom } from '../policy/decide-room.js';
import { Decisions } from '../policy/decisions.js';
import type { Principal } from '../sessions/principal.js';
import { factsOf, roomRows, toRoom } from './room-rows.js';
import type { Room, RoomPage } from './room.schema.js';

/** The SQL twin of decideRead (policy/decide-room.ts). */
const READABLE = Prisma.sql`r.state = 'open' AND m.banned IS NOT TRUE
  AND coalesce(u.state, 'active') = 'active' AND coalesce(u.role, 'guest') <> 'operator'
  AND (m.role IS NOT NULL OR r.visibility = 'public' OR (u.role = 'admin' AND r.visibility <> 'direct'))`;

@Injectable()
export class Rooms {
  constructor(
    private readonly database: Database,
    private readonly decisions: Decisions,
  ) {}

  async list({ userId, tenantId }: Principal, { limit, cursor }: PageQuery): Promise<RoomPage> {
    const after = cursor === undefined ? Prisma.empty : Prisma.sql`AND r.id > ${cursor}::uuid`;
    const where = Prisma.sql`r.tenant_id = ${tenantId}::uuid AND ${READABLE} ${after} ORDER BY r.id LIMIT ${limit + 1}`;
    const rows = await roomRows(this.database.prisma, userId, where);
    return page(
      rows.map((row) => toRoom(row, userId)),
      limit,
    );
  }

  async find(principal: Principal, ref: string): Promise<Room> {
    const named = isId(ref) ? Prisma.sql`r.id = ${ref}::uuid` : Prisma.sql`r.slug = ${ref} AND r.state = 'open'`;
    const where = Prisma.sql`r.tenant_id = ${principal.tenantId}::uuid AND ${named}`;
    const [row] = await roomRows(this.database.prisma, principal.userId, where, 'counted');
    if (row === undefined) throw new DomainError('not_found', { detail: 'no such room in the tenant' });
    const facts = factsOf(row);
    const decision = decideRoom(principal.userId, facts, 'read');
    return decision.allow ? toRoom(row, principal.userId) : this.decisions.refuse(principal, row.id, 'read', decision, facts);
  }
}
