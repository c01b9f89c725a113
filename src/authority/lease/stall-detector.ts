/**
 * Notices that the process stood still: nobody read the clock for longer than `STALL_MS`. Its
 * buffers are then older than they seem.
 */
export const STALL_MS = 250;

export class StallDetector {
  constructor(private seenMs: number) {}

  /**
   * Each reading of the clock shows that the process runs, so a tick of the event loop that is long
   * because much arrived is no stall (ADR 0018). False: the process stood still.
   */
  runs(nowMs: number): boolean {
    if (nowMs - this.seenMs > STALL_MS) return false;
    this.seenMs = nowMs;
    return true;
  }

  /** From here the process counts as running. Answers how long it stood still, or 0. */
  restart(nowMs: number): number {
    const lateMs = nowMs - this.seenMs;
    this.seenMs = nowMs;
    return lateMs > STALL_MS ? lateMs : 0;
  }
}
