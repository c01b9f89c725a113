import { ERROR_CODES } from '@wardroom/protocol/codes';
import type { Action, ErrorCode } from '@wardroom/protocol/codes';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** The owner of a refused credential whose signature was ours. For the audit; never sent. */
export interface RefusedPrincipal {
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
}

interface DomainErrorOptions {
  /** A fixed sentence that helps more than that of the code. Never input. */
  readonly message?: string;
  /** For the log only; may hold ids, never a secret. */
  readonly detail?: string;
  readonly decisionId?: string | undefined;
  /** The action that the policy refused. For the count of denials; never sent. */
  readonly denied?: string;
  readonly retryAfterMs?: number | undefined;
  readonly errors?: readonly FieldError[];
  /** 400 for what could not be parsed at all, where the code's own status is 422. */
  readonly status?: number;
  readonly who?: RefusedPrincipal;
  readonly cause?: unknown;
}

/**
 * The only error that is meant for a client: a code goes out, a detail stays in. Filters turn it
 * into a problem or a frame.
 */
export class DomainError extends Error {
  readonly status: number;
  readonly action: Action;
  readonly detail: string | undefined;
  readonly decisionId: string | undefined;
  readonly denied: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly who: RefusedPrincipal | undefined;

  constructor(
    readonly code: ErrorCode,
    options: DomainErrorOptions = {},
  ) {
    super(options.message ?? ERROR_CODES[code].message, { cause: options.cause });
    this.name = 'DomainError';
    this.status = options.status ?? ERROR_CODES[code].status;
    this.action = ERROR_CODES[code].action;
    this.detail = options.detail;
    this.decisionId = options.decisionId;
    this.denied = options.denied;
    this.retryAfterMs = options.retryAfterMs ?? (this.action === 'retry' ? 1000 : undefined);
    this.errors = options.errors;
    this.who = options.who;
  }
}
