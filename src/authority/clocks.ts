/**
 * Is this node's wall clock right? Every lease round brings the clock of Postgres, and tells apart
 * what one clock alone cannot: a machine that slept (its monotonic clock stood still, tokens grew
 * older) and a wall clock that was set.
 */
import { Injectable, Logger } from '@nestjs/common';
import { CLOCK_JUMP_MS, proveWall, wallGapMs } from '../platform/clock.js';
import { Metrics } from '../platform/metrics.js';

/**
 * Further away than this, tokens of other nodes cannot be judged (their `iat` has the same leeway):
 * the node is fenced.
 */
const CLOCK_OFFSET_MAX_MS = 5_000;

/** The clock of Postgres between two moments of our monotonic clock. */
export interface ClockReading {
  clockMs: number;
  askedMs: number;
  answeredMs: number;
}

@Injectable()
export class Clocks {
  private readonly logger = new Logger(Clocks.name);
  /** Wall clocks minus our monotonic clock, at the last round. */
  private last: { ownMs: number; postgresMs: number } | null = null;
  private wrong = false;

  constructor(private readonly metrics: Metrics) {}

  /** The wall clock of this node minus that of Postgres, at the last round. */
  get offsetMs(): number {
    return this.last === null ? 0 : this.last.ownMs - this.last.postgresMs;
  }

  /**
   * Answers for how long the machine slept since the last round: what both wall clocks saw and the
   * monotonic one did not.
   */
  compare({ clockMs, askedMs, answeredMs }: ClockReading): number {
    const slackMs = (answeredMs - askedMs) / 2;
    const now = { ownMs: wallGapMs(), postgresMs: clockMs - (askedMs + slackMs) };
    const offsetMs = now.ownMs - now.postgresMs;
    this.metrics.clockOffset.set(offsetMs / 1000);
    this.tell(Math.abs(offsetMs) - slackMs > CLOCK_OFFSET_MAX_MS, offsetMs);
    // A wrong clock strays from this at once, which fences; tokens are then judged by the other one
    // (clock.ts).
    proveWall(this.wrong ? now.postgresMs : now.ownMs);
    const sleptMs =
      this.last === null
        ? 0
        : Math.min(now.ownMs - this.last.ownMs, now.postgresMs - slackMs - this.last.postgresMs);
    this.last = now;
    if (sleptMs <= CLOCK_JUMP_MS) return 0;
    this.logger.warn({ msg: 'the machine slept', slept_ms: Math.round(sleptMs) });
    return sleptMs;
  }

  private tell(wrong: boolean, offsetMs: number): void {
    if (wrong !== this.wrong) {
      const msg = wrong
        ? 'fenced: the clocks of this node and of Postgres disagree'
        : 'the clocks of this node and of Postgres agree again';
      this.logger.warn({ msg, offset_ms: Math.round(offsetMs) });
    }
    this.wrong = wrong;
  }
}
