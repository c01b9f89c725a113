/**
 * The clients behind the five items of the monthly review, under a keyed hash: whoever reads a
 * review learns which trouble comes from one place, and no name. Bounded in memory, in each flush
 * and in each day; a client that causes little may be missed, one that causes much is not.
 */
import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { rfc3339, wallMs } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { networkOf } from '../platform/http/client-address.js';
import { deriveKey } from '../platform/sealed-box.js';
import { Database } from '../platform/stores/database.js';

export const REVIEW_ITEMS = [
  'failed_tokens',
  'expiry_reconnects',
  'denied_subscribes',
  'loops',
  'anonymous',
] as const;
export type ReviewItem = (typeof REVIEW_ITEMS)[number];

/** A user where one is known, else the network of an address. */
export type TroubledClient = { user: string } | { ip: string };

/** Clients of an item that are counted between two flushes; further ones are not. */
export const CLIENTS_COUNTED_MAX = 1_000;
const CLIENTS_PER_FLUSH = 20;
export const CLIENTS_PER_DAY = 100;

const UPSERT = `
  INSERT INTO review_clients (day, item, client, count)
  SELECT $1::timestamptz, r.item, r.client, r.count
  FROM json_to_recordset($2::json) AS r (item text, client text, count bigint)
  ON CONFLICT (day, item, client) DO UPDATE SET count = review_clients.count + excluded.count`;

const WORST = `
  SELECT item, client, count FROM (
    SELECT item, client, sum(count)::float8 AS count,
      row_number() OVER (PARTITION BY item ORDER BY sum(count) DESC, client) AS place
    FROM review_clients WHERE day >= $1 AND day < $2 GROUP BY item, client) r
  WHERE place <= $3 ORDER BY item, place`;

export interface WorstClient {
  readonly item: ReviewItem;
  readonly client: string;
  readonly count: number;
}

@Injectable()
export class TroubledClients {
  private readonly key: Buffer;
  private counts = new Map<ReviewItem, Map<string, number>>();

  constructor(
    config: Config,
    private readonly database: Database,
  ) {
    this.key = deriveKey(config.secretKeys[0]!, 'wardroom review');
  }

  /** Synchronous and cheap: it may be called thousands of times a second. */
  note(item: ReviewItem, client: TroubledClient): void {
    const name = 'user' in client ? `user ${client.user}` : `network ${networkOf(client.ip)}`;
    const counts = this.counts.get(item) ?? new Map<string, number>();
    if (counts.size === 0) this.counts.set(item, counts);
    const before = counts.get(name);
    if (before === undefined && counts.size >= CLIENTS_COUNTED_MAX) return;
    counts.set(name, (before ?? 0) + 1);
  }

  /** The worst of each item so far; on trouble they are kept for the next time. */
  async flush(): Promise<void> {
    if (this.counts.size === 0) return;
    const { counts } = this;
    const rows = [...counts].flatMap(([item, clients]) =>
      [...clients]
        .sort(([, a], [, b]) => b - a)
        .slice(0, CLIENTS_PER_FLUSH)
        .map(([name, count]) => ({ item, client: this.hashOf(name), count })),
    );
    const day = `${rfc3339(new Date(wallMs())).slice(0, 10)}T00:00:00.000Z`;
    this.counts = new Map();
    try {
      await this.database.hot('review_clients', UPSERT, [day, JSON.stringify(rows)]);
    } catch (error) {
      // Later ones are fewer than those that would be lost.
      this.counts = counts;
      throw error;
    }
  }

  /** The worst clients of each item from the first day to before the second. */
  async worst(from: Date, to: Date, max: number): Promise<WorstClient[]> {
    return (await this.database.pool.query<WorstClient>(WORST, [from, to, max])).rows;
  }

  /** `user:…` or `network:…`; another SECRET_KEY makes other hashes. */
  private hashOf(name: string): string {
    const digest = createHmac('sha256', this.key).update(name).digest('hex').slice(0, 16);
    return `${name.slice(0, name.indexOf(' '))}:${digest}`;
  }
}
