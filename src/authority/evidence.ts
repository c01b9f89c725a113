/**
 * Is the database that answers a lease round the one this node knows, with nothing lost that the node has seen there? It
 * remembers what a database that comes back without its newest commits cannot say: docs/authority.md, "When the history is
 * replaced".
 */
import type { Position } from './authority-state.js';

/** What the node remembers. */
export interface Known {
  at: Position;
  /** Its last round whose commit it heard of. */
  round: number;
  /** The cluster, database and table that answered. */
  server: string;
  /** The clock of Postgres in that round. */
  clockMs: number;
}

/** What a round found. `round` null: there is no row of this node. `hash`: at its position, null where the log has a hole. */
export interface Found {
  history: string;
  head: number;
  pruned: number;
  hash: string | null;
  round: number | null;
  server: string;
  clockMs: number;
  /** The round was written into this node's row. */
  written: boolean;
}

/** Which memory of the node the database contradicts; a label of `wardroom_authority_history_replaced_total`. */
export type Evidence = 'history' | 'server' | 'head' | 'event' | 'round';

/** Rows of silent nodes are deleted after a day (node-registry.ts): a machine that slept so long finds none. */
const ROW_KEPT_MS = 23 * 3_600_000;

/** `behind`: nothing contradicts, but events were missed for good, or the node has to register again. */
export function compareHistory(known: Known, found: Found): 'same' | 'behind' | Evidence {
  const { at } = known;
  if (found.history !== at.history) return 'history';
  if (found.server !== known.server) return 'server';
  if (found.head < at.n) return 'head';
  if (found.round === null ? found.clockMs - known.clockMs < ROW_KEPT_MS : found.round < known.round) return 'round';
  if (found.pruned > at.n) return 'behind';
  if (found.hash !== at.hash) return 'event';
  return found.written ? 'same' : 'behind';
}
