/**
 * Receipts: what the waiter itself observed of every node after its COMMIT. A node is `confirmed` when it reported a
 * position at or past the change, `fenced` when no round of it was seen for B x 1.01 + 50 ms on the waiter's own
 * monotonic clock: then its lease has run out and it can only return by reading the log to the head.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Database } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import type { PendingReceipt } from './authority-log.js';
import type { Confirmation } from './authority-stream.js';
import { Lease } from './lease.js';
import { NodeRegistry } from './node-registry.js';
import type { NodeRow } from './node-registry.js';
import type { Receipt } from './receipt.schema.js';

const POLL_MS = 100;
/** Beyond the longest possible fencing: then the answer is an honest `pending`. */
const PATIENCE_FACTOR = 1.5;
const fencedAfterMs = (leaseMs: number): number => leaseMs * 1.01 + 50;

interface Sighting {
  at: string;
  seenMs: number;
}

@Injectable()
export class Receipts {
  private readonly positions = new Map<string, Confirmation>();
  /** When this node first saw the present `at` of another: kept between receipts, so a dead node costs its wait once. */
  private readonly sightings = new Map<string, Sighting>();
  private wake: (() => void)[] = [];

  constructor(
    private readonly registry: NodeRegistry,
    private readonly lease: Lease,
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  /** From Redis; the same news arrives in Postgres with the node's next round. */
  onConfirmation(confirmation: Confirmation): void {
    this.positions.set(confirmation.node, confirmation);
    for (const wake of this.wake.splice(0)) wake();
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
    return this.observe({ id, tenant: row.tenantId, firstN: Number(row.firstN), n: Number(row.n), sessions: row.sessions, startedMs: monotonicMs() }, false);
  }

  private async observe(pending: PendingReceipt, wait: boolean): Promise<Receipt> {
    const settled = new Map<string, Receipt['nodes'][number]>();
    const closed = new Map<string, number>();
    const elapsed = () => Math.round(monotonicMs() - pending.startedMs);
    for (;;) {
      const nodes = await this.look().catch(() => null);
      let open = nodes === null;
      for (const node of nodes ?? []) {
        const state = this.stateOf(node, pending.n);
        if (state !== null && !settled.has(node.id)) settled.set(node.id, { id: node.id, state, ms: elapsed() });
        closed.set(node.id, Math.max(closed.get(node.id) ?? 0, this.closedAt(node, pending)));
        open ||= !settled.has(node.id);
      }
      const patienceMs = Math.max(5_000, ...(nodes ?? []).map((node) => node.leaseMs)) * PATIENCE_FACTOR;
      if (!open || !wait || elapsed() > patienceMs) {
        return {
          id: pending.id,
          effective: !open,
          state: open ? 'pending' : 'effective',
          sessions: pending.sessions,
          connections_closed: [...closed.values()].reduce((sum, count) => sum + count, 0),
          nodes: [...settled.values()],
          ms: elapsed(),
        };
      }
      await this.news();
    }
  }

  /** Nodes that have to be waited for; remembers when each was first seen with its present `at`. */
  private async look(): Promise<NodeRow[]> {
    const rows = (await this.registry.others()).filter((node) => !node.left);
    // Taken after the answer: the round that wrote this `at` began before it.
    const seenMs = monotonicMs();
    for (const row of rows) {
      if (this.sightings.get(row.id)?.at !== row.at) this.sightings.set(row.id, { at: row.at, seenMs });
    }
    const known = new Set(rows.map((row) => row.id));
    for (const id of this.sightings.keys()) if (!known.has(id)) this.sightings.delete(id);
    for (const id of this.positions.keys()) if (!known.has(id)) this.positions.delete(id);
    return rows;
  }

  private stateOf(node: NodeRow, n: number): 'confirmed' | 'fenced' | null {
    if (node.position >= n || (this.positions.get(node.id)?.position ?? 0) >= n) return 'confirmed';
    const sighting = this.sightings.get(node.id)!;
    return monotonicMs() - sighting.seenMs > fencedAfterMs(node.leaseMs) ? 'fenced' : null;
  }

  private closedAt(node: NodeRow, pending: PendingReceipt): number {
    const counts = { ...node.closed, ...this.positions.get(node.id)?.closed };
    let closed = 0;
    for (let n = pending.firstN; n <= pending.n; n += 1) closed += counts[String(n)] ?? 0;
    return closed;
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.wake.push(() => (clearTimeout(timer), resolve()));
    });
  }
}
