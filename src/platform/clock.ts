/**
 * Two clocks that must not be mixed. Deadlines, leases and timers use the monotonic one; what is
 * stored or shown uses the wall clock. A token's wall-clock `exp` is turned into a monotonic
 * deadline once, when it is accepted.
 */
export const monotonicMs = (): number => performance.now();
export const rfc3339 = (date: Date): string => date.toISOString();

/**
 * A wall clock that moved by more than this against the monotonic one was set, or the machine
 * slept: prove it again.
 */
export const CLOCK_JUMP_MS = 1_000;

/** Wall minus monotonic, as last compared with Postgres (authority/clocks.ts). */
let provenGapMs: number | null = null;

export const proveWall = (gapMs: number): void => void (provenGapMs = gapMs);

/** This machine's wall clock minus its monotonic one, whatever it is worth. */
export const wallGapMs = (): number => Date.now() - performance.now();

/**
 * The wall clock is not what it was when it was proven. A node fences itself meanwhile and judges
 * no token by time.
 */
export const wallStrays = (nowMs = monotonicMs()): boolean =>
  provenGapMs !== null && Math.abs(Date.now() - nowMs - provenGapMs) > CLOCK_JUMP_MS;

/** While the wall clock strays, the time is counted on from what was proven. */
export function wallMs(): number {
  const wall = Date.now();
  if (provenGapMs === null) return wall;
  const proven = performance.now() + provenGapMs;
  return Math.abs(wall - proven) > CLOCK_JUMP_MS ? proven : wall;
}
