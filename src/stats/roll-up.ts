/**
 * Sums minutes to hours on one node at a time, and deletes what is older than its time. Hours are
 * summed again as long as a late minute may come, so running it twice changes nothing.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { LOCKS } from '../platform/stores/advisory-locks.js';
import { Database } from '../platform/stores/database.js';
import { GAUGES } from './minute-stats.js';
import { CLIENTS_PER_DAY } from './troubled-clients.js';

const EVERY_MS = 300_000;
/** The last day by minutes, with two hours to spare. */
const MINUTES_KEPT_HOURS = 26;
/** Three months and some days: a month and the one before, for whoever asks within a month. */
export const HOURS_KEPT_DAYS = 100;

/** Gauges add up over nodes and are averaged over time. */
const SUM = `
  INSERT INTO hour_stats (hour, name, labels, value)
  SELECT date_trunc('hour', minute), name, labels,
    CASE WHEN name = ANY($1) THEN sum(value) / count(DISTINCT minute) ELSE sum(value) END
  FROM minute_stats
  WHERE minute >= coalesce((SELECT max(hour) - interval '2 hours' FROM hour_stats), '-infinity')
  GROUP BY 1, 2, 3
  ON CONFLICT (hour, name, labels) DO UPDATE SET value = excluded.value`;

/** Only minutes of hours that are not summed again. */
const PRUNE_MINUTES = `
  DELETE FROM minute_stats WHERE minute < least(
    clock_timestamp() - make_interval(hours => ${MINUTES_KEPT_HOURS}),
    (SELECT max(hour) - interval '3 hours' FROM hour_stats))`;

const PRUNE_HOURS = `
  DELETE FROM hour_stats WHERE hour < clock_timestamp() - make_interval(days => ${HOURS_KEPT_DAYS})`;

const PRUNE_CLIENTS = `
  DELETE FROM review_clients WHERE day < clock_timestamp() - make_interval(days => ${HOURS_KEPT_DAYS})`;

const TRIM_CLIENTS = `
  DELETE FROM review_clients c USING (
    SELECT day, item, client, row_number() OVER (PARTITION BY day, item ORDER BY count DESC, client) AS place
    FROM review_clients WHERE day > clock_timestamp() - interval '3 days') r
  WHERE r.place > ${CLIENTS_PER_DAY} AND c.day = r.day AND c.item = r.item AND c.client = r.client`;

@Injectable()
export class RollUp implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(RollUp.name);
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly database: Database) {}

  onModuleInit(): void {
    const every = EVERY_MS * (0.75 + Math.random() / 2);
    this.timer = setInterval(
      () =>
        void this.run().catch((error: Error) =>
          this.logger.warn({ msg: 'stats were not summed', error: error.message }),
        ),
      every,
    ).unref();
  }

  /** Null: another node does it. */
  run(): Promise<true | null> {
    return this.database.alone(LOCKS.statsRollUp, async () => {
      const { pool } = this.database;
      await pool.query(SUM, [GAUGES]);
      for (const text of [PRUNE_MINUTES, PRUNE_HOURS, PRUNE_CLIENTS, TRIM_CLIENTS])
        await pool.query(text);
      return true as const;
    });
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
