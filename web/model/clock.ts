import type { Clock } from '@wardroom/client';

/** The time of this machine. Tests have another. */
export const wallClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as number | undefined),
};
