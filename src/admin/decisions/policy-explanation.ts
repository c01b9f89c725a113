/**
 * Why was it refused, and what would happen if: the same ladder, asked by an operator or an admin
 * of the tenant.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { isId } from '../../platform/ids.js';
import { decideRoom, rightsIn } from '../../policy/decide-room.js';
import { Decisions } from '../../policy/decisions.js';
import { Policy } from '../../policy/policy.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { viewOfFacts } from './decision.schema.js';
import type { DecisionView, ExplainQuery, Explanation } from './decision.schema.js';

@Injectable()
export class PolicyExplanation {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly decisions: Decisions,
    private readonly policy: Policy,
  ) {}

  /** Refused things are kept for an hour. */
  async decision(principal: Principal, id: string): Promise<DecisionView> {
    const record = isId(id) ? await this.decisions.find(id) : null;
    await this.admin.require(principal, 'read_decision', { tenantId: record?.tenant ?? null });
    const { facts, ...rest } = found(record, 'decision');
    this.admin.recordLook('decision', { id, tenant: rest.tenant, user: rest.user });
    return { ...rest, facts: viewOfFacts(facts) };
  }

  async whatIf(principal: Principal, { user, room, action }: ExplainQuery): Promise<Explanation> {
    const row = await this.database.prisma.user.findUnique({
      where: { id: user },
      select: { tenantId: true },
    });
    await this.admin.require(principal, 'explain', { tenantId: row?.tenantId ?? null });
    const { tenantId } = found(row, 'user');
    this.admin.recordLook('explanation', { id: user, tenant: tenantId, user });
    const facts = await this.policy.facts(
      { userId: user, tenantId, sessionId: principal.sessionId },
      room,
    );
    const decision = decideRoom(user, facts, action);
    return {
      allow: decision.allow,
      rule: decision.rule,
      code: decision.allow ? null : decision.code,
      role: decision.allow ? decision.role : facts.member.role,
      can: rightsIn(facts),
      facts: viewOfFacts(facts),
    };
  }
}
