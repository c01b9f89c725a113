/**
 * One connection and its last events: from its node while it lives, from its row in Postgres after
 * it ended. An admin sees those of the own tenant. A look is recorded in the audit.
 */
import { Injectable } from '@nestjs/common';
import * as z from 'zod';
import { LiveConnections } from '../../gateway/live/live-connections.js';
import type { LiveDetail } from '../../gateway/live/live-connection.js';
import { rfc3339 } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { Database } from '../../platform/stores/database.js';
import { tenantSeenBy } from '../../policy/decide-admin.js';
import type { ConnectionEnd } from '../../platform/generated/client.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import type { ConnectionDetail as DetailView } from './connection.schema.js';
import { LookTurns } from './look-turns.js';
import { peopleOf, personIn } from './people.js';
import type { Person } from './people.js';

type People = ReadonlyMap<string, Person>;

const storedSchema = z.object({
  carrier: z.string(),
  user_agent: z.string().nullable(),
  renewals: z.int(),
  omitted: z.int(),
  events: z.array(z.looseObject({ at: z.string(), event: z.string() })),
});

@Injectable()
export class ConnectionDetail {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly live: LiveConnections,
    private readonly turns: LookTurns,
  ) {}

  async of(principal: Principal, id: string): Promise<DetailView> {
    const role = await this.admin.roleOf(principal);
    const mayAsk = (tenantId: string | null): void =>
      this.admin.authorize(principal, role, 'read_connection', { tenantId });
    // No node is asked for somebody who may see none.
    const asker = tenantSeenBy(principal.tenantId, role);
    mayAsk(asker);
    const { node, item, partial } = await this.turns.run(asker, () => this.live.find(id));
    const ended =
      item === null
        ? await this.database.prisma.connectionEnd.findUnique({ where: { connectionId: id } })
        : null;
    // It may be with a node that did not answer.
    if (item === null && ended === null && partial.length > 0)
      throw new DomainError('unavailable', { detail: 'not every node answered' });
    const user = item?.user ?? ended?.userId ?? null;
    const tenant = item?.tenant ?? ended?.tenantId ?? null;
    mayAsk(tenant);
    const people = await peopleOf(this.database, [user]);
    const view =
      item === null ? ofRow(found(ended, 'connection'), people) : ofNode(item, node!, people);
    this.admin.recordLook('connection', { id, tenant, user });
    return view;
  }
}

function ofNode(item: LiveDetail, node: string, people: People): DetailView {
  const { id, close_id, session, user, tenant, ...rest } = item;
  return { id, close_id, session, user: personIn(people, user), tenant, node, ...rest };
}

/** An end that an older version wrote has no events. */
function ofRow(row: ConnectionEnd, people: People): DetailView {
  const stored = storedSchema.safeParse(row.timeline).data;
  const opened = { at: rfc3339(row.openedAt), event: 'opened' };
  const closed = { at: rfc3339(row.at), event: 'closed', side: row.side, code: row.code };
  return {
    id: row.connectionId,
    close_id: row.closeId,
    session: row.sessionId,
    user: personIn(people, row.userId),
    tenant: row.tenantId,
    node: row.node,
    ip: row.ip,
    user_agent: stored?.user_agent ?? null,
    carrier: stored?.carrier ?? null,
    opened_at: rfc3339(row.openedAt),
    token_expires_in_ms: null,
    renewals: stored?.renewals ?? null,
    rooms: null,
    queue_bytes: null,
    state: 'ended',
    omitted: stored?.omitted ?? 0,
    timeline: [...(stored?.events ?? [opened]), closed],
  };
}
