/**
 * Live connections of all nodes, newest first: an admin sees those of the own tenant. A look is
 * recorded in the audit.
 */
import { Injectable } from '@nestjs/common';
import { LiveConnections } from '../../gateway/live/live-connections.js';
import type { LiveConnection } from '../../gateway/live/live-connection.js';
import { Database } from '../../platform/stores/database.js';
import { tenantSeenBy } from '../../policy/decide-admin.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { ConnectionPage, ConnectionView, ConnectionsQuery } from './connection.schema.js';
import { LookTurns } from './look-turns.js';
import { peopleOf, personIn } from './people.js';

interface Row {
  readonly node: string;
  readonly item: LiveConnection;
}

@Injectable()
export class Connections {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly live: LiveConnections,
    private readonly turns: LookTurns,
  ) {}

  async list(principal: Principal, query: ConnectionsQuery): Promise<ConnectionPage> {
    const role = await this.admin.roleOf(principal);
    const tenant = tenantSeenBy(principal.tenantId, role);
    this.admin.authorize(principal, role, 'list_connections', { tenantId: tenant });
    const { limit, cursor: before, node, ...filter } = query;
    this.admin.recordLook('connections', {
      id: query.user ?? query.room ?? tenant,
      tenant,
      user: query.user ?? null,
    });
    const asked = {
      ...filter,
      ...(tenant === null ? {} : { tenant }),
      ...(before === undefined ? {} : { before }),
    };
    const { byNode, partial, share } = await this.turns.run(tenant, () =>
      this.live.ofAll(asked, limit + 1, node),
    );
    const rows = newestOf(byNode, limit + 1, share, tenant);
    const people = await peopleOf(
      this.database,
      rows.shown.map(({ item }) => item.user),
    );
    const items = rows.shown.slice(0, limit).map((row) => viewOf(row, people));
    const isCut = items.length < rows.shown.length;
    return { items, next_cursor: isCut ? items.at(-1)!.id : rows.edge, partial };
  }
}

/**
 * Each list is newest first: the newest of all of them, without sorting all of them. It ends early
 * where a node has more than the `share` it was asked for: the next one may be the newest. `edge`:
 * the last one that was looked at, null after all of them. A node of an older version does not know
 * the filter `tenant`: others' are left out here.
 */
export function newestOf(
  byNode: ReadonlyMap<string, LiveConnection[]>,
  count: number,
  share: number,
  tenant: string | null,
): { shown: Row[]; edge: string | null } {
  const lists = [...byNode].map(([node, items]) => ({ node, items, next: 0 }));
  const shown: Row[] = [];
  let edge: string | null = null;
  while (shown.length < count) {
    let newest: (typeof lists)[number] | null = null;
    for (const list of lists) {
      const id = list.items[list.next]?.id;
      if (id !== undefined && (newest === null || id > newest.items[newest.next]!.id))
        newest = list;
    }
    if (newest === null) return { shown, edge: null };
    const item = newest.items[newest.next++]!;
    edge = item.id;
    if (tenant === null || item.tenant === tenant) shown.push({ node: newest.node, item });
    if (newest.next === share) break;
  }
  return { shown, edge };
}

/** Fields of a newer node are left out. */
const viewOf = ({ node, item }: Row, people: Parameters<typeof personIn>[0]): ConnectionView => ({
  id: item.id,
  close_id: item.close_id,
  session: item.session,
  user: personIn(people, item.user),
  tenant: item.tenant,
  node,
  ip: item.ip,
  user_agent: item.user_agent,
  carrier: item.carrier,
  opened_at: item.opened_at,
  token_expires_in_ms: item.token_expires_in_ms,
  renewals: item.renewals,
  rooms: item.rooms,
  queue_bytes: item.queue_bytes,
});
