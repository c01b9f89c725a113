/**
 * Receipts: what the waiter itself observed of every node after its COMMIT. A node is `confirmed` when it reported a
 * position at or past the change, `fenced` when whatever lease it had without knowing of the change has run out, by the
 * waiter's own monotonic clock (sightings.ts): it can only return by reading the log to the head.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import type { PendingReceipt } from './authority-log.js';
import { Lease } from './lease.js';
import { NodeRegistry } from './node-registry.js';
import type { NodeRow } from './node-registry.js';
import type { Receipt } from './receipt.schema.js';
import { Sightings } from './sightings.js';
import type { Confirmation } from './stream-shapes.js';

const POLL_MS = 100;
/** Beyond the longest possible fencing: then the answer is an honest `pending`. */
const PATIENCE_FACTOR = 1.5;
const PATIENCE_MS_MIN = 5_000;

@Injectable()
export class Receipts {
  private readonly positions = new Map<string, Confirmation>();
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly registry: NodeRegistry,
    private readonly sightings: Sightings,
    private readonly lease: Lease,
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  /** From Redis; the same news arrives in Postgres with the node's next round. */
  onConfirmation(confirmation: Confirmation): void {
    this.positions.set(confirmation.node, confirmation);
    for (const wake of this.waiting) wake();
  }

  /** Null for a change that shrank nothing. `wait` false answers at once with what is known. */
  async settle(pending: PendingReceipt | null, wait = true): Promise<Receipt | null> {
    if (pending === null) return null;
    void this.lease.round();
    const receipt = await this.observe(pending, wait);
    this.metrics.receiptSeconds.observe({ effective: String(receipt.effective) }, receipt.ms / 1000);
    return receipt;
  }

  /** For `GET /v1/receipts/{id}`: the same question asked again, of one tenant (null: an operator). */
  async find(id: string, tenant: string | null): Promise<Receipt> {
    const row = await this.database.prisma.receipt.findUnique({ where: { id } });
    if (row === null || (tenant !== null && row.tenantId !== tenant)) throw new DomainError('not_found');
    const { tenantId, firstN, n, history, hash, sessions } = row;
    const pending = { id, tenant: tenantId, firstN: Number(firstN), n: Number(n), history, hash: hash === null ? null : Buffer.from(hash).toString('hex') };
    return this.observe({ ...pending, sessions, startedMs: monotonicMs() }, false);
  }

  private async observe(pending: PendingReceipt, wait: boolean): Promise<Receipt> {
    const watch = new Watch(pending);
    const looks: { running: Promise<void> | null; dueMs: number } = { running: null, dueMs: 0 };
    for (;;) {
      if (looks.running === null && monotonicMs() >= looks.dueMs) {
        looks.running = this.look(watch).finally(() => Object.assign(looks, { running: null, dueMs: monotonicMs() + POLL_MS }));
      }
      // A Postgres that has fallen silent does not hold back what the nodes or the clock say.
      if (wait) await Promise.race([this.news(this.nextMs(watch)), ...(looks.running === null ? [] : [looks.running])]);
      else await looks.running;
      this.judge(watch);
      if (watch.done || !wait || watch.elapsedMs > watch.patienceMs) return watch.receipt();
    }
  }

  private async look(watch: Watch): Promise<void> {
    const rows = await this.registry.serving().catch(() => null);
    if (rows === null) return;
    watch.see(rows);
    const serving = new Set(rows.map((row) => row.id));
    for (const id of this.positions.keys()) if (!serving.has(id)) this.positions.delete(id);
  }

  private judge(watch: Watch): void {
    const { n } = watch.pending;
    for (const node of watch.nodes.values()) {
      const told = this.positions.get(node.id);
      if (node.position >= n || (told?.position ?? 0) >= n) watch.settle(node.id, 'confirmed');
      else if (monotonicMs() >= this.fencedFromMs(node, n)) watch.settle(node.id, 'fenced');
      watch.count(node.id, closedIn(watch.pending, { ...node.closed, ...told?.closed }));
    }
  }

  private fencedFromMs(node: NodeRow, n: number): number {
    return this.sightings.fencedFromMs(node.id, node.leaseMs, n);
  }

  /** Until the next look, or the next moment at which the clock alone says something. */
  private nextMs(watch: Watch): number {
    const dueMs = watch.open.map((node) => this.fencedFromMs(node, watch.pending.n) - monotonicMs());
    return Math.max(1, Math.min(POLL_MS, ...dueMs));
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

/** What is known of the nodes that one receipt waits for. */
class Watch {
  /** Null until the first look after the COMMIT. Who registers later reads the log past the change before serving anybody. */
  private listed: ReadonlySet<string> | null = null;
  nodes: ReadonlyMap<string, NodeRow> = new Map();
  private readonly settled = new Map<string, Receipt['nodes'][number]>();
  private readonly closed = new Map<string, number>();

  constructor(readonly pending: PendingReceipt) {}

  get elapsedMs(): number {
    return Math.round(monotonicMs() - this.pending.startedMs);
  }

  get patienceMs(): number {
    return Math.max(PATIENCE_MS_MIN, ...[...this.nodes.values()].map((node) => node.leaseMs)) * PATIENCE_FACTOR;
  }

  /** Still to be waited for. */
  get open(): NodeRow[] {
    return [...this.nodes.values()].filter((node) => !this.settled.has(node.id));
  }

  get done(): boolean {
    return this.listed !== null && this.open.length === 0;
  }

  see(rows: NodeRow[]): void {
    const listed = (this.listed ??= new Set(rows.map((row) => row.id)));
    this.nodes = new Map(rows.filter((row) => listed.has(row.id)).map((row) => [row.id, row]));
  }

  settle(id: string, state: 'confirmed' | 'fenced'): void {
    if (!this.settled.has(id)) this.settled.set(id, { id, state, ms: this.elapsedMs });
  }

  count(id: string, closed: number): void {
    this.closed.set(id, Math.max(this.closed.get(id) ?? 0, closed));
  }

  receipt(): Receipt {
    return {
      id: this.pending.id,
      effective: this.done,
      state: this.done ? 'effective' : 'pending',
      sessions: this.pending.sessions,
      connections_closed: [...this.closed.values()].reduce((sum, count) => sum + count, 0),
      nodes: [...this.settled.values()],
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
