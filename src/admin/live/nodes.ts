/**
 * The nodes of the installation, from their rows in Postgres and their own answers. Nodes that are
 * gone are listed for a day.
 */
import { Injectable } from '@nestjs/common';
import { NodeList } from '../../authority/nodes/node-list.js';
import type { ListedNode } from '../../authority/nodes/node-list.js';
import { NodeStatus } from '../../gateway/live/node-status.js';
import type { Status } from '../../gateway/live/node-status.js';
import { rfc3339 } from '../../platform/clock.js';
import { page } from '../../platform/zod.js';
import type { PageQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { NodePage, NodeView } from './node.schema.js';

@Injectable()
export class Nodes {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly nodes: NodeList,
    private readonly statuses: NodeStatus,
  ) {}

  async list(principal: Principal, { limit, cursor }: PageQuery): Promise<NodePage> {
    await this.admin.require(principal, 'list_nodes', { tenantId: null });
    const { byNode } = await this.statuses.ofAll();
    // Read last: no position of a node is beyond it but by what was committed meanwhile.
    const [rows, head] = await Promise.all([
      this.nodes.page(cursor ?? null, limit + 1),
      this.nodes.head(),
    ]);
    return page(
      rows.map((row) => viewOf(row, byNode.get(row.id)?.[0], head)),
      limit,
    );
  }
}

function viewOf(row: ListedNode, status: Status | undefined, head: number): NodeView {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    node_version: row.nodeVersion,
    started_at: rfc3339(row.startedAt),
    lease_ms: row.leaseMs,
    state: status?.state ?? stateByRow(row),
    position: Math.max(row.position, status?.position ?? 0),
    head,
    lease_left_ms: status?.lease_left_ms ?? null,
    clock_offset_ms: status?.clock_offset_ms ?? null,
    connections: status?.connections ?? null,
    rooms: status?.rooms ?? null,
  };
}

/** Of a node that did not answer: it serves for as long as its lease can hold. */
function stateByRow({ gone, fresh }: ListedNode): NodeView['state'] {
  if (gone) return 'gone';
  return fresh ? 'serving' : 'fenced';
}
