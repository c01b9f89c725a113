/**
 * The acting user (or guest), tenant, session. Everything else about them is a fact that may change
 * while they act.
 */
export interface Principal {
  /** The user whose rights count. */
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  /** The service account whose session it is, where it acts as `userId` (contract section 9). */
  readonly actor?: string;
  /** Wall clock, ms: the end of the token in use. Absent without a token (at login). */
  readonly tokenEndsAtMs?: number;
}

/** An access token that was accepted: its principal and how long it may be believed. */
export interface AcceptedToken {
  readonly principal: Principal;
  /** Key that signed it; withdrawn with `key.withdrawn`. */
  readonly kid: string;
  readonly jti: string;
  /** Wall clock, ms: for `refresh_after` only. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Monotonic clock, ms: fixed when the token is accepted, compared ever after. */
  readonly deadlineMs: number;
  /** Of the key of a service account, as they were when it was accepted. */
  readonly scopes?: readonly string[];
}
