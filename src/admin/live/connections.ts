/** Live connections of all nodes, newest first. A look is recorded in the audit. */
import { Injectable } from '@nestjs/common';
import { PAGE_BYTES } from '../../budgets/held-bytes.js';
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
    const asked = { ...filter, ...(before === undefined ? {} : { before }), limit: limit + 1 };
    const { byNode, partial } = await this.live.ofAll(asked, node);
    const rows = newestOf(byNode, limit + 1);
    const people = await peopleOf(
      this.database,
      rows.map(({ item }) => item.user),
    );
    const items = fitting(rows.slice(0, limit).map((row) => viewOf(row, people)));
    const isLast = items.length === rows.length;
    return { items, next_cursor: isLast ? null : items.at(-1)!.id, partial };
  }
}

/** Each list is newest first: the newest of all of them, without sorting all of them. */
function newestOf(byNode: ReadonlyMap<string, LiveConnection[]>, count: number): Row[] {
  const lists = [...byNode].map(([node, items]) => ({ node, items, next: 0 }));
  const rows: Row[] = [];
  while (rows.length < count) {
    let newest: (typeof lists)[number] | null = null;
    for (const list of lists) {
      const id = list.items[list.next]?.id;
      if (id !== undefined && (newest === null || id > newest.items[newest.next]!.id))
        newest = list;
    }
    if (newest === null) break;
    rows.push({ node: newest.node, item: newest.items[newest.next++]! });
  }
  return rows;
}

/** As many as a page holds. */
function fitting(items: ConnectionView[]): ConnectionView[] {
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += JSON.stringify(item).length) > PAGE_BYTES);
  return end <= 0 ? items : items.slice(0, end);
}

function viewOf({ node, item }: Row, people: Parameters<typeof personIn>[0]): ConnectionView {
  const { id, close_id, session, user, tenant, ...rest } = item;
  return { id, close_id, session, user: personIn(people, user), tenant, node, ...rest };
}
