import { monotonicMs } from '../platform/clock.js';

/** Per second and connection, burst x3 (contract section 1). */
export class TokenBucket {
  private tokens: number;
  private atMs = monotonicMs();

  constructor(private readonly perSecond: number) {
    this.tokens = perSecond * 3;
  }

  /** 0 when there was one; else ms until there will be. */
  take(): number {
    if (this.perSecond === Infinity) return 0;
    const now = monotonicMs();
    this.tokens = Math.min(this.perSecond * 3, this.tokens + ((now - this.atMs) / 1000) * this.perSecond);
    this.atMs = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.tokens) / this.perSecond) * 1000);
  }
}
