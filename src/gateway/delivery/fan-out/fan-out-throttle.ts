/**
 * Coalesces fan-outs of a room with many listeners. A write to a socket costs the same for one
 * event and for many. So such a room waits after a fan-out until as many events have come as were
 * joined before, for at most twice the time of that fan-out. The next one then carries more. An
 * event that comes alone never waits, and acknowledgements wait for no fan-out.
 */
const REST_PER_FAN_OUT = 2;
const REST_MAX_MS = 100;

export class FanOutThrottle {
  private beganMs = 0;
  private carried = 0;
  private goal = 0;
  private restUntilMs = 0;

  begin(nowMs: number, carried: number): void {
    this.beganMs = nowMs;
    this.carried = carried;
    this.restUntilMs = Infinity;
  }

  /** Written to everybody; `waiting` came meanwhile. */
  end(nowMs: number, waiting: number): void {
    this.goal = this.carried + waiting;
    this.restUntilMs = nowMs + Math.min(REST_PER_FAN_OUT * (nowMs - this.beganMs), REST_MAX_MS);
  }

  /** 0: go now. Infinity: the last fan-out is still being written. */
  waitMs(nowMs: number, waiting: number): number {
    if (this.restUntilMs === Infinity) return Infinity;
    return waiting >= this.goal ? 0 : Math.max(0, this.restUntilMs - nowMs);
  }
}
