import type { ErrorCode } from '@wardroom/protocol/codes';
import type { TokenFacts } from './token-facts.js';
import type { TokenInspection } from './token-inspection.schema.js';
import type { Verdict } from './token-verdicts.js';

/** A token of one kind, judged; inspect-token.ts makes the answer of it. */
export interface JudgedToken {
  readonly kind: TokenInspection['kind'];
  readonly verdict: Verdict;
  /** That it is refused with; null: it is accepted. */
  readonly code: ErrorCode | null;
  /** Made by this server. */
  readonly verified: boolean;
  readonly facts: TokenFacts | null;
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly kid?: string;
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
  readonly refresh?: TokenInspection['refresh'];
  readonly ticket?: TokenInspection['ticket'];
}
