/**
 * Is the database that answers a lease round the one this node knows, with nothing lost that the
 * node has seen there? It remembers what a database that comes back without its newest commits
 * cannot say: docs/authority.md, "When the history is replaced".
 */
import type { Position } from './authority-state.js';

/** The memory of the node. */
export interface Known {
  at: Position;
  /** Its last round whose commit it heard of. */
  round: number;
  /** The cluster, database and table that answered. */
  server: string;
  /** The clock of Postgres in that round. */
  clockMs: number;
}

/**
 * The findings of a round. `round` null: there is no row of this node. `hash`: at its position,
 * null where the log has a hole.
 */
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

/**
 * Which memory of the node the database contradicts; a label of
 * `wardroom_authority_history_replaced_total`.
 */
export type Evidence = 'history' | 'server' | 'head' | 'event' | 'round';

/**
 * Rows of silent nodes are deleted after a day (node-registry.ts): a machine that slept so long
 * finds none.
 */
const ROW_KEPT_MS = 23 * 3_600_000;

/**
 * `behind`: nothing contradicts, but events were missed for good, or the node has to register
 * again.
 */
export function compareHistory(known: Known, found: Found): 'same' | 'behind' | Evidence {
  const { at } = known;
  if (found.history !== at.history) return 'history';
  if (found.server !== known.server) return 'server';
  if (found.head < at.n) return 'head';
  if (
    found.round === null ? found.clockMs - known.clockMs < ROW_KEPT_MS : found.round < known.round
  )
    return 'round';
  if (found.pruned > at.n) return 'behind';
  if (found.hash !== at.hash) return 'event';
  return found.written ? 'same' : 'behind';
}

/** The position that a node left in Redis, and its time by the node's clock. */
export interface KeptPosition {
  at: Position;
  atMs: number;
}

/**
 * The findings of a node that starts. `hash`: at the number of the kept position, null where the
 * log has a hole.
 */
export interface FoundAtStart {
  history: string;
  /** When the history began, if it replaced another. */
  historyAtMs: number | null;
  head: number;
  pruned: number;
  hash: string | null;
}

/**
 * The clocks of nodes and Postgres, and the last round of a node in a history that has just been
 * replaced.
 */
const NAMED_LEEWAY_MS = 6_000;

/**
 * Was more committed than this database knows? Null: nothing says so. A position of another history
 * is of a newer past unless the present history began after it: whatever was lost then is dealt
 * with.
 */
export function newerPast(
  { at, atMs }: KeptPosition,
  found: FoundAtStart,
): 'history' | 'head' | 'event' | null {
  if (at.history !== found.history)
    return found.historyAtMs === null || atMs > found.historyAtMs + NAMED_LEEWAY_MS
      ? 'history'
      : null;
  if (at.n > found.head) return 'head';
  return at.n >= found.pruned && at.hash !== found.hash ? 'event' : null;
}

/**
 * A node must not serve from a database that was restored, before what was signed out since is
 * dealt with.
 */
export function requireNewestPast(kept: KeptPosition, found: FoundAtStart): void {
  const evidence = newerPast(kept, found);
  if (evidence === null) return;
  const seen = `event ${kept.at.n} of history ${kept.at.history}, proven by a node at ${new Date(kept.atMs).toISOString()}`;
  const has =
    evidence === 'event'
      ? 'another event there'
      : `only event ${found.head} of history ${found.history}`;
  throw new Error(
    `The database was restored or has lost commits: the authority log had ${seen}, and this database has ${has}: run npm run restore-fence.`,
  );
}
