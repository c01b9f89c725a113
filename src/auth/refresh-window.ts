/**
 * When an access token ends and when it should be refreshed, spread so that tokens minted together are not refreshed
 * together (promise P5). The life is taken from a golden-ratio sequence with a random start per node, which fills the
 * range evenly from the first token on (a hash does not); the refresh follows from `iat` and `exp` alone, so every node
 * that sees the token says the same.
 */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
const SHORTEST = 0.9;
/** Refresh here, as shares of the life: the first moment, and the last that leaves time for a second try. */
const REFRESH_AFTER = 0.75;
const REFRESH_BEFORE = 0.9;

export class LifeSequence {
  private phase: number;

  constructor(
    private readonly ttlSeconds: number,
    start = Math.random(),
  ) {
    this.phase = start;
  }

  /** Whole seconds in (0.9 x ttl, ttl]; so at least 0.9 x ttl remain although `iat` was rounded down. */
  next(): number {
    this.phase = (this.phase + GOLDEN_RATIO) % 1;
    const shortest = Math.min(Math.ceil(this.ttlSeconds * SHORTEST) + 1, this.ttlSeconds);
    return shortest + Math.floor(this.phase * (this.ttlSeconds - shortest + 1));
  }
}

export interface RefreshWindow {
  refresh_after_ms: number;
  refresh_before_ms: number;
}

/** Relative to `nowMs`; never negative. Clients refresh at `refresh_after_ms`, without a jitter of their own. */
export function refreshWindow(issuedAtMs: number, expiresAtMs: number, nowMs: number): RefreshWindow {
  const at = (share: number) => Math.max(0, Math.round(issuedAtMs + (expiresAtMs - issuedAtMs) * share - nowMs));
  return { refresh_after_ms: at(REFRESH_AFTER), refresh_before_ms: at(REFRESH_BEFORE) };
}
