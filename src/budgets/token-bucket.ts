import { monotonicMs } from '../platform/clock.js';

/** A bucket holds what three seconds bring (contract section 1). */
export const BURST_SECONDS = 3;

/** Of sums of fractions. */
const ROUNDING = 1e-6;

/** So many tokens a second. */
export class TokenBucket {
  /** Taken since they were last told to the other nodes (principal-rates.ts). */
  untold = 0;
  private tokens: number;
  private atMs: number;

  constructor(
    private readonly perSecond: number,
    nowMs = monotonicMs(),
  ) {
    this.tokens = perSecond * BURST_SECONDS;
    this.atMs = nowMs;
  }

  /**
   * 0 when there were `cost` of them; else ms until there will be. `share` of the rate is this
   * node's.
   */
  take(nowMs = monotonicMs(), cost = 1, share = 1): number {
    const { perSecond } = this;
    if (perSecond === Infinity) return 0;
    this.fill(nowMs, perSecond * share);
    if (this.tokens >= cost - ROUNDING) {
      this.tokens -= cost;
      this.untold += cost;
      return 0;
    }
    return Math.ceil(((cost - this.tokens) / (perSecond * share)) * 1000 - ROUNDING);
  }

  levelAt(nowMs: number): number {
    this.fill(nowMs, this.perSecond);
    return this.tokens;
  }

  /**
   * The rest of all nodes together, as it was reported: tokens taken here since are not in it.
   * Never more than this node would give alone; within a token the two agree, and a client that got
   * a time to come again gets no other.
   */
  adopt(level: number, nowMs: number): void {
    const left = level - this.untold;
    if (left < this.levelAt(nowMs) - 1) this.tokens = left;
  }

  private fill(nowMs: number, perSecond: number): void {
    this.tokens = Math.min(
      perSecond * BURST_SECONDS,
      this.tokens + ((nowMs - this.atMs) / 1000) * perSecond,
    );
    this.atMs = nowMs;
  }
}
