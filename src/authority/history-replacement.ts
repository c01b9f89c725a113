/**
 * The database came back without commits that a node had seen. The first node that notices gives
 * the history a new name; every node that notices ends again, in the database, what it knows was
 * ended: nothing revoked lives again in silence.
 */
import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { wallMs } from '../platform/clock.js';
import { LOCKS } from '../platform/stores/advisory-locks.js';
import type { Tx } from '../platform/stores/database.js';
import { Metrics } from '../platform/metrics.js';
import { AuthorityLog } from './authority-log.js';
import type { Change } from './authority-log.js';
import type { EndedFacts, Position } from './authority-state.js';
import type { AuthorityEvent } from './events.js';
import type { Evidence } from './evidence.js';

/** Writes, in the transaction of the replacement, what follows from it; answers its events. */
export type Repair = (tx: Tx, replaced: Replaced) => Promise<AuthorityEvent[]>;

export interface Replaced {
  /** `restore`: somebody says so (sessions/restore-fence.ts). */
  evidence: Evidence | 'restore';
  /** Where the node stood in the history that is lost; for `restore`, where the database stands. */
  from: Position;
  /** All that the node knows to be ended. */
  ended: EndedFacts;
  /** This node is the first: it names the new history. */
  first: boolean;
}

interface Named {
  first: boolean;
  history: string;
}

/** Belongs to no tenant: only operators can follow its receipt. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class HistoryReplacement {
  private readonly logger = new Logger(HistoryReplacement.name);
  private readonly repairs: Repair[] = [];
  /** When this node last found its history replaced. */
  lastAt: Date | null = null;

  constructor(
    private readonly log: AuthorityLog,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Runs in the order of registration, which must be that of locks: tenants, users, sessions, then
   * everything else.
   */
  onReplaced(repair: Repair): void {
    this.repairs.push(repair);
  }

  /** Throws when the database does not take it: then the node stays fenced and tries again. */
  async write(from: Position, evidence: Replaced['evidence'], ended: EndedFacts): Promise<void> {
    const { result } = await this.log.commit((tx) => this.writeIn(tx, from, evidence, ended));
    this.lastAt = new Date(wallMs());
    this.metrics.historyReplaced.inc({ evidence });
    this.logger.error({
      msg: 'authority_history_replaced: Postgres came back without commits that this node had seen',
      evidence,
      first: result.first,
      lost_history: from.history,
      position: from.n,
      history: result.history,
    });
  }

  /** In a transaction of the caller's. */
  async writeIn(
    tx: Tx,
    from: Position,
    evidence: Replaced['evidence'],
    ended: EndedFacts,
  ): Promise<Change<Named>> {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCKS.historyReplacement}::bigint)`;
    // Events past the head are of the lost history, and would be in the way of new ones.
    await tx.$executeRaw`DELETE FROM authority_events e USING authority_head h WHERE e.n > h.n`;
    const [head] = await tx.$queryRaw<{ history: string }[]>`SELECT history FROM authority_head`;
    const first = head!.history === from.history;
    const events: AuthorityEvent[] = [];
    for (const repair of this.repairs)
      events.push(...(await repair(tx, { evidence, from, ended, first })));
    if (!first) return { result: { first, history: head!.history }, events, tenant: NO_TENANT };
    const history = randomUUID();
    const replaced: AuthorityEvent = { kind: 'history.replaced', history, previous: from.history };
    return {
      result: { first, history },
      events: [replaced, ...events],
      tenant: NO_TENANT,
      history,
    };
  }
}
