/**
 * Tickets that were presented, for two minutes, in Postgres: whoever can write into Redis can bring
 * a used ticket back there, and it still opens nothing. One statement for all that are presented at
 * about the same time.
 */
import { Injectable, Logger } from '@nestjs/common';
import { monotonicMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { Batcher } from '../../platform/stores/batcher.js';

/** In one order on every node, so that two nodes never wait for each other. */
const SPEND = `
  INSERT INTO spent_tickets (hash, until)
  SELECT decode(hash, 'hex'), clock_timestamp() + interval '2 minutes' FROM unnest($1::text[]) AS t (hash) ORDER BY hash
  ON CONFLICT DO NOTHING
  RETURNING encode(hash, 'hex') AS hash`;
const FORGET_EVERY_MS = 60_000;

@Injectable()
export class SpentTickets {
  private readonly logger = new Logger(SpentTickets.name);
  private readonly batches = new Batcher<string, boolean>((hashes) => this.write(hashes));
  private forgotMs = monotonicMs();

  constructor(private readonly database: Database) {}

  /** True once for each ticket, on whatever node. Throws `unavailable` when Postgres cannot say. */
  async spend(hash: string): Promise<boolean> {
    this.forget();
    try {
      return await this.batches.ask(hash);
    } catch (error) {
      throw new DomainError('unavailable', { detail: 'tickets need Postgres', cause: error });
    }
  }

  async isSpent(hash: string): Promise<boolean> {
    const rows = await this.database.hot(
      'ticket_spent',
      `SELECT FROM spent_tickets WHERE hash = decode($1, 'hex')`,
      [hash],
    );
    return rows.length > 0;
  }

  private async write(hashes: string[]): Promise<boolean[]> {
    const rows = await this.database.hot<{ hash: string }>('tickets_spend', SPEND, [hashes]);
    const first = new Set(rows.map(({ hash }) => hash));
    // Of two in one batch, the first.
    return hashes.map((hash) => first.delete(hash));
  }

  private forget(): void {
    if (monotonicMs() - this.forgotMs < FORGET_EVERY_MS) return;
    this.forgotMs = monotonicMs();
    this.database
      .hot('tickets_forget', 'DELETE FROM spent_tickets WHERE until < clock_timestamp()', [])
      .catch((error: Error) =>
        this.logger.warn({ msg: 'spent tickets not forgotten', error: error.message }),
      );
  }
}
