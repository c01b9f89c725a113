/** Live connections of all nodes, newest first. A look is recorded in the audit. */
import { Injectable } from '@nestjs/common';
import { LiveConnections } from '../../gateway/live/live-connections.js';
import type { LiveConnection } from '../../gateway/live/live-connection.js';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { ConnectionPage, ConnectionView, ConnectionsQuery } from './connection.schema.js';
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
  ) {}

  async list(principal: Principal, query: ConnectionsQuery): Promise<ConnectionPage> {
    await this.admin.require(principal, 'list_connections', { tenantId: null });
    const { limit, cursor: before, node, ...filter } = query;
    this.admin.recordLook('connections', {
      id: query.user ?? query.room ?? null,
      user: query.user ?? null,
    });
    const asked = { ...filter, ...(before === undefined ? {} : { before }) };
    const { byNode, partial, share } = await this.live.ofAll(asked, limit + 1, node);
    const rows = newestOf(byNode, limit + 1, share);
    const people = await peopleOf(
      this.database,
      rows.shown.map(({ item }) => item.user),
    );
    const items = rows.shown.slice(0, limit).map((row) => viewOf(row, people));
    const isLast = rows.areAll && items.length === rows.shown.length;
    return { items, next_cursor: isLast ? null : items.at(-1)!.id, partial };
  }
}

/**
 * Each list is newest first: the newest of all of them, without sorting all of them. It ends early
 * where a node has more than the `share` it was asked for: the next one may be the newest.
 */
function newestOf(
  byNode: ReadonlyMap<string, LiveConnection[]>,
  count: number,
  share: number,
): { shown: Row[]; areAll: boolean } {
  const lists = [...byNode].map(([node, items]) => ({ node, items, next: 0 }));
  const shown: Row[] = [];
  while (shown.length < count) {
    let newest: (typeof lists)[number] | null = null;
    for (const list of lists) {
      const id = list.items[list.next]?.id;
      if (id !== undefined && (newest === null || id > newest.items[newest.next]!.id))
        newest = list;
    }
    if (newest === null) return { shown, areAll: true };
    shown.push({ node: newest.node, item: newest.items[newest.next++]! });
    if (newest.next === share) return { shown, areAll: false };
  }
  return { shown, areAll: false };
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
