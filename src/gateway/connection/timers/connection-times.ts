/** Times of one connection, in monotonic ms; `connection-timers.ts` keeps them. */
import { monotonicMs } from '../../../platform/clock.js';

export class ConnectionTimes {
  readonly openedMs = monotonicMs();
  /** The next appointment in the timing wheel. */
  dueMs = Infinity;
  /** The next heartbeat; 0 before the first appointment. */
  heartbeatMs = 0;
  closingSinceMs = 0;
  /** The client was warned that its token ends. */
  warned = false;
  /** A ping of ours is not answered yet. */
  pinged = false;
  /** `bytesRead` of the socket at the last heartbeat. */
  bytesSeen = 0;
}
