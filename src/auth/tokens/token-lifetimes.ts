/**
 * When an access token ends and when it should be refreshed, spread so that tokens minted together
 * are not refreshed together (promise P5). The life is taken from a golden-ratio sequence with a
 * random start per node, which fills the range evenly from the first token on (a hash does not);
 * the refresh follows from `iat` and `exp` alone, so every node that sees the token says the same.
 */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
const SHORTEST = 0.9;

/**
 * Lives are whole seconds, so a tenth of 300 s has only 30 of them. For these usual values of
 * ACCESS_TTL_SECONDS the configured life is recognised, and the lives are laid out 2.5 s apart: a
 * quarter of the life, two in every 5 s.
 */
const USUAL_TTL_SECONDS = [30, 45, 60, 90, 120, 150, 180, 240, 300, 360, 450, 600, 750, 900];
const APART = 2.5;
const FIRST_OF_USUAL = 0.5;

/**
 * Refresh of any other life, and the last moment that leaves time for a second try, as shares of
 * the life.
 */
const REFRESH_AFTER = 0.75;
const REFRESH_BEFORE = 0.9;

export class LifetimeSequence {
  private phase: number;

  constructor(
    private readonly ttlSeconds: number,
    start = Math.random(),
  ) {
    this.phase = start;
  }

  /**
   * Whole seconds in (0.9 x ttl, ttl]; so at least 0.9 x ttl remain although `iat` was rounded
   * down. `mostSeconds`: the life a tenant has set; the shorter of the two is the ttl.
   */
  next(mostSeconds = Infinity): number {
    const ttl = Math.min(this.ttlSeconds, mostSeconds);
    this.phase = (this.phase + GOLDEN_RATIO) % 1;
    const shortest = Math.min(Math.ceil(ttl * SHORTEST) + 1, ttl);
    return shortest + Math.floor(this.phase * (ttl - shortest + 1));
  }
}

export interface RefreshWindow {
  refresh_after_ms: number;
  refresh_before_ms: number;
}

/**
 * Relative to `nowMs`; never negative. Clients refresh at `refresh_after_ms`, without a jitter of
 * their own.
 */
export function refreshWindow(
  issuedAtMs: number,
  expiresAtMs: number,
  nowMs: number,
): RefreshWindow {
  const lifeMs = expiresAtMs - issuedAtMs;
  const fromNow = (afterIssueMs: number) =>
    Math.max(0, Math.round(issuedAtMs + afterIssueMs - nowMs));
  return {
    refresh_after_ms: fromNow(refreshAfterMs(lifeMs)),
    refresh_before_ms: fromNow(lifeMs * REFRESH_BEFORE),
  };
}

/**
 * Half to three quarters of the configured life; the shorter a token lives, the later in that
 * range.
 */
function refreshAfterMs(lifeMs: number): number {
  const ttl = USUAL_TTL_SECONDS.find(
    (seconds) => lifeMs <= seconds * 1000 && lifeMs > seconds * 1000 * SHORTEST,
  );
  return ttl === undefined
    ? lifeMs * REFRESH_AFTER
    : ttl * 1000 * FIRST_OF_USUAL + (ttl * 1000 - lifeMs) * APART;
}
