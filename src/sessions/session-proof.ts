/**
 * When the person of a session last proved themselves. It belongs to the session and is read in
 * Postgres, so every node knows it at once. Sessions of browsers are asked for a proof: those whose
 * tokens are cookies. A program that holds its tokens is not (ADR 0041).
 */
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import type { Principal } from './principal.js';

export interface Proof {
  /** Null: never. */
  readonly at: Date | null;
  /** For which it still counts; 0: it is too old. Null: nobody is asked for one. */
  readonly leftSeconds: number | null;
}

/** Just now. Inside a transaction that has locked the caller. */
export const markProven = (tx: Tx, { sessionId }: Principal): Promise<unknown> =>
  tx.$executeRaw`UPDATE sessions SET auth_time = clock_timestamp() WHERE id = ${sessionId}::uuid`;

@Injectable()
export class SessionProof {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
  ) {}

  async of({ sessionId }: Principal): Promise<Proof> {
    const within = this.config.stepUpSeconds;
    const [row] = await this.database.hot<{
      at: Date | null;
      browser: boolean;
      left: number | null;
    }>(
      'session_proof',
      `SELECT auth_time AS at, transport = 'cookie' AS browser, extract(epoch FROM auth_time - clock_timestamp())::float8 + $2::float8 AS left
       FROM sessions WHERE id = $1`,
      [sessionId, within],
    );
    return {
      at: row?.at ?? null,
      leftSeconds:
        Number.isFinite(within) && row?.browser !== false ? Math.max(0, row?.left ?? 0) : null,
    };
  }

  /** Throws `step_up_required`. */
  async require(principal: Principal): Promise<void> {
    const { leftSeconds } = await this.of(principal);
    if (leftSeconds === 0) throw new DomainError('step_up_required', { who: principal });
  }
}
