/**
 * Receipts: what the waiter itself observed of every node after its COMMIT. A node is `confirmed`
 * when it reported the hash of the change, or that of a position past it which the log still has; a
 * bare number could be of a history that is lost. It is `fenced` when any lease that it got before
 * it knew of the change has run out on this node's monotonic clock (node-observations.ts): it can
 * only return by reading the log to the head.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import type { PendingReceipt } from './authority-log.js';
import { LeaseRounds } from './lease/lease-rounds.js';
import { Lease } from './lease/lease.js';
import { NodeRegistry } from './nodes/node-registry.js';
import type { NodeRow, Serving } from './nodes/node-registry.js';
import type { Receipt } from './receipt.schema.js';
import { NodeObservations } from './nodes/node-observations.js';
import type { Confirmation } from './stream-shapes.js';

const POLL_MS = 100;
/** Beyond the longest possible fencing: then the answer is an honest `pending`. */
const PATIENCE_FACTOR = 1.5;
const PATIENCE_MS_MIN = 5_000;
/** Of each node; receipts that wait longer find the rest in `nodes`. */
const HASHES_KEPT = 1_000;

@Injectable()
export class Receipts {
  private readonly told = new Map<
    string,
    { closed: Record<string, number>; hashes: Set<string> }
  >();
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly registry: NodeRegistry,
    private readonly observations: NodeObservations,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  /** From Redis; the same news arrives in Postgres with the node's next round. */
  onConfirmation(confirmation: Confirmation): void {
    const hashes = this.told.get(confirmation.node)?.hashes ?? new Set();
    for (const hash of confirmation.hashes) hashes.add(hash);
    while (hashes.size > HASHES_KEPT) hashes.delete(hashes.values().next().value!);
    this.told.set(confirmation.node, { closed: confirmation.closed, hashes });
    for (const wake of this.waiting) wake();
  }

  /** Null for a change that shrank nothing. `wait` false answers at once with what is known. */
  async waitForReceipt(pending: PendingReceipt | null, wait = true): Promise<Receipt | null> {
    if (pending === null) return null;
    void this.rounds.round();
    const receipt = await this.observe(pending, wait);
    this.metrics.receiptSeconds.observe(
      { effective: String(receipt.effective) },
      receipt.ms / 1000,
    );
    return receipt;
  }

  /**
   * For `GET /v1/receipts/{id}`: the same question asked again, of one tenant (null: an operator).
   */
  async find(id: string, tenant: string | null): Promise<Receipt> {
    const row = await this.database.prisma.receipt.findUnique({ where: { id } });
    if (row === null || (tenant !== null && row.tenantId !== tenant))
      throw new DomainError('not_found');
    const { tenantId, firstN, n, history, hash, sessions } = row;
    const pending = {
      id,
      tenant: tenantId,
      firstN: Number(firstN),
      n: Number(n),
      history,
      hash: hash === null ? null : Buffer.from(hash).toString('hex'),
    };
    return this.observe({ ...pending, sessions, startedMs: monotonicMs() }, false);
  }

  private async observe(pending: PendingReceipt, wait: boolean): Promise<Receipt> {
    const watch = new Watch(pending, this.lease.boundMs);
    const looks: { running: Promise<void> | null; dueMs: number } = { running: null, dueMs: 0 };
    for (;;) {
      if (looks.running === null && monotonicMs() >= looks.dueMs) {
        looks.running = this.look(watch).finally(() =>
          Object.assign(looks, { running: null, dueMs: monotonicMs() + POLL_MS }),
        );
      }
      // A Postgres that has fallen silent does not hold back what the nodes or the clock say.
      if (wait)
        await Promise.race([
          this.news(this.nextMs(watch)),
          ...(looks.running === null ? [] : [looks.running]),
        ]);
      else await looks.running;
      this.judge(watch);
      // The caller has to try again: the change is not there any more.
      if (wait && watch.lost)
        throw new DomainError('unavailable', {
          detail: 'Postgres lost the change: its history was replaced',
        });
      if (watch.done || !wait || watch.elapsedMs > watch.patienceMs) return watch.receipt();
    }
  }

  private async look(watch: Watch): Promise<void> {
    const { n, hash } = watch.pending;
    const seen = await this.registry.serving(n).catch(() => null);
    if (seen === null) return;
    watch.see(seen);
    if (!watch.lost && hash !== null) this.observations.sawEvent(hash);
    const serving = new Set(seen.nodes.map((row) => row.id));
    for (const id of this.told.keys()) if (!serving.has(id)) this.told.delete(id);
  }

  private judge(watch: Watch): void {
    if (!watch.seen || watch.lost) return;
    const { n, hash } = watch.pending;
    for (const node of watch.nodes.values()) {
      const told = this.told.get(node.id);
      if ((node.holds && node.position >= n) || (hash !== null && told?.hashes.has(hash) === true))
        watch.settle(node.id, 'confirmed');
      else if (monotonicMs() >= this.fencedFromMs(watch, node)) watch.settle(node.id, 'fenced');
      watch.count(node.id, closedIn(watch.pending, { ...node.closed, ...told?.closed }));
    }
    watch.settled = monotonicMs() >= this.observations.settledFromMs(watch.leaseMs);
  }

  private fencedFromMs({ pending: { hash } }: Watch, node: NodeRow): number {
    return this.observations.fencedFromMs(node.id, node.leaseMs, hash ?? '');
  }

  /** Until the next look, or the next moment at which the clock alone says something. */
  private nextMs(watch: Watch): number {
    const dueMs = [
      ...watch.open.map((node) => this.fencedFromMs(watch, node)),
      this.observations.settledFromMs(watch.leaseMs),
    ];
    const nowMs = monotonicMs();
    return Math.max(
      1,
      Math.min(POLL_MS, ...dueMs.filter((ms) => ms > nowMs).map((ms) => ms - nowMs)),
    );
  }

  private news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.ceil(withinMs));
      this.waiting.add(wake);
    });
  }
}

/** The knowledge about the nodes that one receipt waits for. */
class Watch {
  /**
   * Null until the first observation after the COMMIT. A node that registers later reads the log
   * past the change before it serves anybody.
   */
  private listed: ReadonlySet<string> | null = null;
  nodes: ReadonlyMap<string, NodeRow> = new Map();
  /** By the last look: the log has another event at this number, or none. */
  lost = false;
  /** No node can be left that the database forgot (node-observations.ts). */
  settled = false;
  private readonly answered = new Map<string, Receipt['nodes'][number]>();
  private readonly closed = new Map<string, number>();

  constructor(
    readonly pending: PendingReceipt,
    private readonly leaseMsMin: number,
  ) {}

  get elapsedMs(): number {
    return Math.round(monotonicMs() - this.pending.startedMs);
  }

  get patienceMs(): number {
    return Math.max(PATIENCE_MS_MIN, this.leaseMs) * PATIENCE_FACTOR;
  }

  /** The longest that is known; a node whose row is lost has one like this node's. */
  get leaseMs(): number {
    return Math.max(this.leaseMsMin, ...[...this.nodes.values()].map((node) => node.leaseMs));
  }

  get seen(): boolean {
    return this.listed !== null;
  }

  /** Still to be waited for. */
  get open(): NodeRow[] {
    return [...this.nodes.values()].filter((node) => !this.answered.has(node.id));
  }

  get done(): boolean {
    return this.seen && !this.lost && this.settled && this.open.length === 0;
  }

  see({ nodes: rows, hash, head, pruned, history }: Serving): void {
    const { pending } = this;
    const isPruned =
      hash === null && pending.n < pruned && pending.n <= head && pending.history === history;
    this.lost = !isPruned && (hash === null || hash !== pending.hash);
    const listed = (this.listed ??= new Set(rows.map((row) => row.id)));
    this.nodes = new Map(rows.filter((row) => listed.has(row.id)).map((row) => [row.id, row]));
  }

  settle(id: string, state: 'confirmed' | 'fenced'): void {
    if (!this.answered.has(id)) this.answered.set(id, { id, state, ms: this.elapsedMs });
  }

  count(id: string, closed: number): void {
    this.closed.set(id, Math.max(this.closed.get(id) ?? 0, closed));
  }

  receipt(): Receipt {
    const { id, history, committedMs, startedMs } = this.pending;
    return {
      id,
      ...(history === null ? {} : { history }),
      effective: this.done,
      state: this.done ? 'effective' : 'pending',
      sessions: this.pending.sessions,
      connections_closed: [...this.closed.values()].reduce((sum, count) => sum + count, 0),
      nodes: [...this.answered.values()],
      ...(committedMs === undefined ? {} : { committed_ms: Math.round(committedMs - startedMs) }),
      ms: this.elapsedMs,
    };
  }
}

/** `closed`: connections closed, by event number. */
function closedIn({ firstN, n }: PendingReceipt, closed: Record<string, number>): number {
  let sum = 0;
  for (let i = firstN; i <= n; i += 1) sum += closed[String(i)] ?? 0;
  return sum;
}
