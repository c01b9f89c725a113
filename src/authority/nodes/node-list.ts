/** Nodes as Postgres knows them: those that may have connections, and all of the last day. */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { NodeIdentity } from '../../platform/node-identity.js';
import { DELIVERS } from './node-registry.js';

export interface ListedNode {
  id: string;
  name: string;
  version: string | null;
  nodeVersion: string | null;
  startedAt: Date;
  leaseMs: number;
  position: number;
  /** It left, or has not written its row for longer than the longest lease. */
  gone: boolean;
  /** It wrote its row within its lease. */
  fresh: boolean;
}

interface ListedRow {
  id: string;
  name: string;
  version: string | null;
  node_version: string | null;
  started_at: Date;
  lease_ms: number;
  position: string;
  gone: boolean;
  fresh: boolean;
}

const OTHERS = `SELECT id FROM nodes WHERE id <> $1 AND ${DELIVERS} ORDER BY id`;
/** Newest first. $1: the last id of the page before, or null. */
const PAGE = `
  SELECT id, name, version, node_version, started_at, lease_ms, position, NOT (${DELIVERS}) AS gone,
    at > clock_timestamp() - make_interval(secs => lease_ms / 1000.0) AS fresh
  FROM nodes WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`;

@Injectable()
export class NodeList {
  constructor(
    private readonly database: Database,
    private readonly identity: NodeIdentity,
  ) {}

  /** Ids of the other nodes that may have connections. */
  async others(): Promise<string[]> {
    const rows = await this.database.hot<{ id: string }>('other_nodes', OTHERS, [this.identity.id]);
    return rows.map(({ id }) => id);
  }

  async page(after: string | null, limit: number): Promise<ListedNode[]> {
    const { rows } = await this.database.pool.query<ListedRow>(PAGE, [after, limit]);
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      version: row.version,
      nodeVersion: row.node_version,
      startedAt: row.started_at,
      leaseMs: row.lease_ms,
      position: Number(row.position),
      gone: row.gone,
      fresh: row.fresh,
    }));
  }

  /** The head of the authority log. */
  async head(): Promise<number> {
    const [row] = await this.database.hot<{ n: string }>(
      'authority_head_n',
      'SELECT n FROM authority_head',
      [],
    );
    return Number(row!.n);
  }
}
