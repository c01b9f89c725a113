/**
 * The bounds that measured times are compared with (contract section 7). A bound is the server's
 * promise and the share of the way to it: the round trip, measured before the drills, and an
 * allowance for a busy client. docs/drills.md says what each is.
 */
export type BoundName = 'revocation' | 'expiry' | 'close' | 'repair' | 'retry' | 'bytes';

export interface Measured {
  readonly value: number;
  readonly unit: 'ms' | 'bytes';
}

export interface Conditions {
  /** B of the server. */
  readonly leaseMs: number;
  /** Of the way there and back. */
  readonly roundTripMs: number;
  /** For timers and turns of the client, which runs ten drills at once. */
  readonly allowanceMs: number;
}

export function limitOf(
  name: BoundName,
  { leaseMs, roundTripMs, allowanceMs }: Conditions,
): number {
  const way = Math.ceil(roundTripMs) + allowanceMs;
  const limits: Record<BoundName, number> = {
    revocation: leaseMs + way,
    expiry: 100 + way,
    close: 1_000 + way,
    repair: 2_000 + way,
    retry: 4_000 + way,
    bytes: 32 * 1024 * 1024,
  };
  return limits[name];
}

export const ms = (value: number): Measured => ({ value: Math.max(0, value), unit: 'ms' });
