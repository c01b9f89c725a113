/**
 * Which handshakes are reconnects, and after what: the last end of a connection of the same
 * session, on whichever node it was, within a minute. Ends are read from `connection_ends` in
 * batches, seconds after the handshake, which waits for nothing.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { RECONNECTS_WAITING_MAX } from '../../../budgets/held-bytes.js';
import { monotonicMs, rfc3339, wallMs } from '../../../platform/clock.js';
import { Metrics } from '../../../platform/metrics.js';
import { Database } from '../../../platform/stores/database.js';
import { TroubledClients } from '../../../stats/troubled-clients.js';

const ASK_EVERY_MS = 500;
/** The node that ended the connection before writes it within 500 ms (close-log.ts). */
const ASK_AFTER_MS = 2_000;
const BATCH = 1_000;

/** Clocks of nodes differ by a little: an end may be dated after the handshake that followed it. */
const LAST_ENDS = `
  SELECT c.user, e.side, e.code
  FROM json_to_recordset($1::json) AS c (session uuid, connection uuid, "user" uuid, at timestamptz)
  CROSS JOIN LATERAL (
    SELECT side, code FROM connection_ends
    WHERE session_id = c.session AND connection_id IS DISTINCT FROM c.connection
      AND at > c.at - interval '60 seconds' AND at <= c.at + interval '1 second'
    ORDER BY at DESC LIMIT 1) e`;

export type ReconnectCause = 'expiry' | 'revocation' | 'restart' | 'transport' | 'other';

const CAUSES: Readonly<Record<string, ReconnectCause>> = {
  token_expired: 'expiry',
  session_expired: 'expiry',
  token_revoked: 'revocation',
  session_revoked: 'revocation',
  token_reuse: 'revocation',
  user_suspended: 'revocation',
  tenant_disabled: 'revocation',
  restarting: 'restart',
  draining: 'restart',
};

export function causeOf({ side, code }: { side: string; code: string }): ReconnectCause {
  if (side === 'transport') return 'transport';
  return (side === 'server' ? CAUSES[code] : undefined) ?? 'other';
}

/** A handshake whose credential named a session. */
export interface Handshake {
  readonly session: string;
  readonly user: string;
  /** Null: it was refused before the upgrade. */
  readonly connection: string | null;
}

interface Waiting extends Handshake {
  readonly at: string;
  readonly dueMs: number;
}

@Injectable()
export class Reconnects implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Reconnects.name);
  private waiting: Waiting[] = [];
  private asking = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
    private readonly clients: TroubledClients,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.ask(), ASK_EVERY_MS).unref();
  }

  note(handshake: Handshake): void {
    if (this.waiting.length >= RECONNECTS_WAITING_MAX) this.waiting.shift();
    const dueMs = monotonicMs() + ASK_AFTER_MS;
    this.waiting.push({ ...handshake, at: rfc3339(new Date(wallMs())), dueMs });
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      for (let due = this.due(); due.length > 0; due = this.due()) {
        const rows = await this.database.hot<{ user: string; side: string; code: string }>(
          'reconnects',
          LAST_ENDS,
          [JSON.stringify(due)],
        );
        for (const { user, ...end } of rows) {
          const after = causeOf(end);
          this.metrics.reconnects.inc({ after });
          if (after === 'expiry') this.clients.note('expiry_reconnects', { user });
        }
        // The oldest ones may have gone meanwhile.
        const asked = new Set(due);
        this.waiting = this.waiting.filter((handshake) => !asked.has(handshake));
      }
    } catch (error) {
      // They stay, and are asked for again.
      this.logger.warn({ msg: 'reconnects are not known yet', error: (error as Error).message });
    } finally {
      this.asking = false;
    }
  }

  private due(): Waiting[] {
    const now = monotonicMs();
    return this.waiting.slice(0, BATCH).filter(({ dueMs }) => dueMs <= now);
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
