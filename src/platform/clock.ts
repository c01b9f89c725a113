/**
 * Two clocks that must not be mixed. Deadlines, leases and timers use the monotonic one; what is stored or shown uses
 * the wall clock. A token's wall-clock `exp` is turned into a monotonic deadline once, when it is accepted.
 */
export const monotonicMs = (): number => performance.now();
export const wallMs = (): number => Date.now();
export const rfc3339 = (date: Date): string => date.toISOString();
