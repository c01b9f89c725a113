/**
 * The lease: this node's proof that it has applied the authority log to its head. `lease-rounds.ts`
 * extends it. Without it the node is fenced: it delivers nothing and decides nothing.
 */
import { Injectable } from '@nestjs/common';
import { monotonicMs, wallStrays } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { StallDetector } from './stall-detector.js';

/** `lapsed`: the lease ran out, and the listeners are not told yet. `fenced`: they are. */
type LeaseState = 'held' | 'lapsed' | 'fenced';

/** An expired lease is announced after this time: a proof may be on its way. */
export const PROVE_WITHIN_MS = 300;

@Injectable()
export class Lease {
  /** B of this node, in ms. Other nodes may have another. */
  readonly boundMs: number;
  /** Of the rounds. */
  readonly intervalMs: number;
  /** Of the rounds while nobody is connected. */
  readonly idleIntervalMs: number;
  private state: LeaseState = 'fenced';
  private untilMs = 0;
  private lapsedSinceMs = monotonicMs();
  private readonly stalls = new StallDetector(monotonicMs());
  private readonly fenceListeners: ((fenced: boolean) => void)[] = [];
  private readonly proofListeners: (() => void)[] = [];

  constructor(
    config: Config,
    private readonly metrics: Metrics,
  ) {
    this.boundMs = config.authorityLeaseMs;
    this.intervalMs = Math.min(400, this.boundMs / 5);
    this.idleIntervalMs = Math.min(1_200, this.boundMs / 4);
  }

  /**
   * Asked before every frame, socket write and REST call. Three things end a lease: its time, a
   * process that stood still, and a wall clock that strays from the monotonic one (it was set, it
   * is wrong, or the machine slept).
   */
  isFenced(nowMs = monotonicMs()): boolean {
    if (this.state === 'held') {
      if (this.holds(nowMs)) return false;
      this.state = 'lapsed';
      this.lapsedSinceMs = nowMs;
    }
    return true;
  }

  private holds(nowMs: number): boolean {
    if (wallStrays(nowMs)) this.untilMs = 0;
    return nowMs < this.untilMs && this.stalls.runs(nowMs);
  }

  /** Refuses with `auth_unavailable`. */
  require(nowMs = monotonicMs()): void {
    if (this.isFenced(nowMs))
      throw new DomainError('auth_unavailable', { retryAfterMs: this.intervalMs * 2 });
  }

  /** How long the lease holds without another proof, or 0. */
  get leftMs(): number {
    const nowMs = monotonicMs();
    return this.isFenced(nowMs) ? 0 : this.untilMs - nowMs;
  }

  /** How long the node has been without a lease, in ms, or 0. */
  get fencedForMs(): number {
    const nowMs = monotonicMs();
    return this.isFenced(nowMs) ? nowMs - this.lapsedSinceMs : 0;
  }

  /**
   * Called when the node becomes fenced, at the latest 350 ms after the lease ended, or unfenced.
   */
  onFence(listener: (fenced: boolean) => void): void {
    this.fenceListeners.push(listener);
  }

  /** Called when the lease is back after anything may have been held back for lack of it. */
  onProven(listener: () => void): void {
    this.proofListeners.push(listener);
  }

  /** A round reached the head of the log. */
  extend(untilMs: number): void {
    this.untilMs = Math.max(this.untilMs, untilMs);
    if (this.state === 'held' || !this.holds(monotonicMs())) return;
    const wasAnnounced = this.state === 'fenced';
    this.state = 'held';
    for (const listener of this.proofListeners) listener();
    if (wasAnnounced) this.announce(false);
  }

  /** Nothing is proven any more. */
  end(): void {
    this.untilMs = 0;
    this.isFenced();
  }

  /** Ends the lease when the process stood still. Answers for how long, in ms, or 0. */
  endAfterStall(nowMs: number): number {
    const lateMs = this.stalls.restart(nowMs);
    if (lateMs > 0) this.end();
    return lateMs;
  }

  /** Tells the listeners, once, when the lease has been missing for `afterMs`. */
  announceFence(afterMs: number): void {
    const nowMs = monotonicMs();
    if (!this.isFenced(nowMs) || this.state === 'fenced' || nowMs - this.lapsedSinceMs < afterMs)
      return;
    this.state = 'fenced';
    this.announce(true);
  }

  private announce(fenced: boolean): void {
    this.metrics.authorityFenced.set(fenced ? 1 : 0);
    for (const listener of this.fenceListeners) listener(fenced);
  }
}
