/**
 * The members of a room, for whoever may read it. Bans are shown to those who can take them back.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { Prisma } from '../../platform/generated/client.js';
import type { PageQuery } from '../../platform/zod.js';
import { decideRoom } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import type { Principal } from '../../sessions/principal.js';
import { memberRows, toMember } from './membership.js';
import type { MemberPage } from './member.schema.js';

@Injectable()
export class Members {
  constructor(
    private readonly database: Database,
    private readonly policy: Policy,
  ) {}

  async list(principal: Principal, ref: string, { limit, cursor }: PageQuery): Promise<MemberPage> {
    const { room, facts } = await this.policy.authorize(principal, ref, 'read');
    const moderates = decideRoom(principal.userId, facts, 'moderate_member').allow;
    const shown = moderates
      ? Prisma.sql`(m.role IS NOT NULL OR m.banned)`
      : Prisma.sql`m.role IS NOT NULL AND NOT m.banned`;
    const after = cursor === undefined ? Prisma.empty : Prisma.sql`AND u.id > ${cursor}::uuid`;
    const rows = await memberRows(
      this.database.prisma,
      room.id,
      Prisma.sql`${shown} ${after} ORDER BY u.id LIMIT ${limit + 1}`,
    );
    const items = rows.slice(0, limit).map((row) => toMember(room.id, row));
    return { items, next_cursor: rows.length > limit ? items.at(-1)!.user_id : null };
  }
}
