/**
 * Sessions by state, person, tenant, device, address and time. An admin sees those of the own
 * tenant, an operator without `tenant` those of all. A look is recorded in the audit.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { LiveConnections } from '../../gateway/live/live-connections.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { isId } from '../../platform/ids.js';
import { seesAllTenants } from '../../policy/decide-admin.js';
import type { Principal } from '../../sessions/principal.js';
import { viewOf } from '../../sessions/sessions.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { peopleOf } from '../live/people.js';
import type { Person } from '../live/people.js';
import { laneStatement } from './session-lanes.js';
import type { PersonPrefix, SessionFilter, SessionRow } from './session-lanes.js';
import type { ListedSession, ListedSessionPage, SessionsQuery } from './session-list.schema.js';

/** More users than this are not looked up one by one. */
const USERS_MAX = 200;
/** Users that are read to find those. */
const LOOKED_MAX = 1_000;

/** $1, $2: patterns, $3: tenant or null. */
const PEOPLE = `
  WITH hits AS MATERIALIZED (
    (SELECT id, tenant_id FROM users WHERE email LIKE $1 LIMIT ${LOOKED_MAX})
    UNION ALL (SELECT id, tenant_id FROM users WHERE lower(name) LIKE lower($2) LIMIT ${LOOKED_MAX}))
  SELECT (SELECT count(*) FROM hits)::integer AS looked,
    ARRAY(SELECT DISTINCT id FROM hits WHERE $3::uuid IS NULL OR tenant_id = $3 LIMIT ${USERS_MAX + 1}) AS ids`;

@Injectable()
export class SessionList {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly live: LiveConnections,
  ) {}

  async list(principal: Principal, query: SessionsQuery): Promise<ListedSessionPage> {
    const { tenant, user, q, ...rest } = query;
    const role = await this.admin.roleOf(principal);
    const named = tenant === undefined ? undefined : await this.admin.tenantId(tenant);
    const everywhere = seesAllTenants(role);
    const tenantId = named === undefined && !everywhere ? principal.tenantId : named;
    this.admin.authorize(principal, role, 'list_sessions', { tenantId: tenantId ?? null });
    if (tenantId === null) found(tenantId, 'tenant');
    this.audit.note({
      event: 'data_read',
      tenant: tenantId ?? null,
      user: user ?? null,
      detail: {
        what: 'sessions',
        id: user ?? tenantId ?? null,
        filters: Object.keys(query).filter(isFilter).sort(),
      },
    });
    const filter: SessionFilter = {
      ...rest,
      tenant: tenantId ?? undefined,
      users: user === undefined ? undefined : [user],
    };
    return this.page(q === undefined ? filter : await this.withPerson(filter, q), principal);
  }

  private async withPerson(filter: SessionFilter, q: string): Promise<SessionFilter> {
    if (isId(q.toLowerCase())) return this.withId(filter, q.toLowerCase());
    const person = prefixOf(q);
    const { rows } = await this.database.pool.query<{ looked: number; ids: string[] }>(PEOPLE, [
      person.email,
      person.name,
      filter.tenant ?? null,
    ]);
    const { looked, ids } = rows[0]!;
    if (looked >= LOOKED_MAX || ids.length > USERS_MAX) return { ...filter, person };
    return { ...filter, users: ids.filter((id) => filter.users?.includes(id) ?? true) };
  }

  private async withId(filter: SessionFilter, id: string): Promise<SessionFilter> {
    const session = await this.database.prisma.session.findUnique({
      where: { id },
      select: { id: true },
    });
    if (session !== null) return { ...filter, session: id };
    return { ...filter, users: filter.users?.includes(id) === false ? [] : [id] };
  }

  private async page(filter: SessionFilter, { sessionId }: Principal): Promise<ListedSessionPage> {
    const { text, values } = laneStatement(filter);
    const { rows } = await this.database.pool.query<
      { edge: string | null } & (SessionRow | { id: null })
    >(text, [...values]);
    const found = rows.filter((row) => row.id !== null) as SessionRow[];
    const shown = found.slice(0, filter.limit);
    const [people, { counts, partial }] = await Promise.all([
      peopleOf(
        this.database,
        shown.map(({ userId }) => userId),
      ),
      this.live.countsOf(shown.filter(({ endedAt }) => endedAt === null).map(({ id }) => id)),
    ]);
    return {
      items: shown.map((row) => ({
        ...listed(row, people.get(row.userId), sessionId),
        connections: counts.get(row.id) ?? 0,
      })),
      partial,
      next_cursor: found.length > filter.limit ? shown.at(-1)!.id : (rows[0]?.edge ?? null),
    };
  }
}

const isFilter = (name: string): boolean => name !== 'limit' && name !== 'cursor';

function prefixOf(q: string): PersonPrefix {
  const escaped = q.replaceAll(/[\\%_]/g, '\\$&');
  return { email: `${escaped.normalize('NFKC').toLowerCase()}%`, name: `${escaped}%` };
}

function listed(
  row: SessionRow,
  person: Person | undefined,
  current: string,
): Omit<ListedSession, 'connections'> {
  // Past its absolute end, and not swept yet.
  const endedAt = row.endedAt ?? (row.overdue ? row.expiresAt : null);
  return {
    ...viewOf(row, current),
    state: endedAt === null ? 'live' : 'ended',
    user: { id: row.userId, name: person?.name ?? null, email: person?.email ?? null },
    ip: row.ip,
    user_agent: row.userAgent,
    idle_ends_at:
      row.idleSeconds === 0
        ? null
        : rfc3339(new Date(row.lastActiveAt.getTime() + row.idleSeconds * 1000)),
    ended_at: endedAt === null ? null : rfc3339(endedAt),
    reason: endedAt === null ? null : (row.endDetail ?? row.endReason ?? 'timeout'),
    ended_by: row.endedBy,
    receipt: row.endReceipt,
  };
}
