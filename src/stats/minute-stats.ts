/**
 * Writes once a minute to `minute_stats` by how much the counters of this node grew: the same
 * counters that Prometheus reads, one statement for all of them. A statement that failed is sent
 * once more with the next.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { rfc3339, wallMs } from '../platform/clock.js';
import { Metrics } from '../platform/metrics.js';
import { NodeIdentity } from '../platform/node-identity.js';
import { Database } from '../platform/stores/database.js';
import { TroubledClients } from './troubled-clients.js';

const MINUTE_MS = 60_000;
/** A flush comes a few seconds after its minute is over, not on all nodes at once. */
const LATE_MS = 1_000;
const SPREAD_MS = 4_000;

/** Gauges that add up over nodes. */
export const GAUGES = [
  'wardroom_connections',
  'wardroom_subscriptions',
  'wardroom_authority_fenced',
];
const OF_THE_PROCESS = /^wardroom_(?:process|nodejs)_/;

const INSERT = `
  INSERT INTO minute_stats (minute, node, name, labels, value)
  SELECT $1::timestamptz, $2::uuid, r.name, r.labels, r.value
  FROM json_to_recordset($3::json) AS r (name text, labels jsonb, value double precision)
  ON CONFLICT DO NOTHING`;

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Counters, sums and counts of histograms, and the gauges above, as they are now. */
export async function samplesOf(registry: Registry): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const metric of await registry.getMetricsAsJSON()) {
    if (OF_THE_PROCESS.test(metric.name)) continue;
    if (String(metric.type) === 'gauge' && !GAUGES.includes(metric.name)) continue;
    for (const sample of metric.values as (Sample & { metricName?: string })[]) {
      const name = sample.metricName ?? metric.name;
      if (name.endsWith('_bucket')) continue;
      samples.push({ name, labels: sample.labels, value: sample.value });
    }
  }
  return samples;
}

interface Batch {
  readonly minute: string;
  readonly rows: Sample[];
  /** The counters as they were when it was made. */
  readonly counters: Map<string, number>;
}

@Injectable()
export class MinuteStats implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(MinuteStats.name);
  /** Written so far. One entry for each series of this node, whose labels are bounded. */
  private written = new Map<string, number>();
  private lastMinuteMs = -Infinity;
  /** Not known to be written: it goes once more as it is, so that nothing counts twice. */
  private batch: Batch | null = null;
  private flushing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly identity: NodeIdentity,
    private readonly metrics: Metrics,
    private readonly clients: TroubledClients,
  ) {}

  onModuleInit(): void {
    this.scheduleNext();
  }

  private scheduleNext(): void {
    const toNextMs = MINUTE_MS - (wallMs() % MINUTE_MS);
    const wait = toNextMs + LATE_MS + Math.random() * SPREAD_MS;
    this.timer = setTimeout(() => {
      void this.flush();
      this.scheduleNext();
    }, wait).unref();
  }

  /** Calls while one runs share it. */
  flush(): Promise<void> {
    this.flushing ??= this.write().finally(() => (this.flushing = null));
    return this.flushing;
  }

  private async write(): Promise<void> {
    try {
      if (this.batch !== null) await this.writeBatch(this.batch);
      this.batch = await this.next();
      await this.writeBatch(this.batch);
      await this.clients.flush();
    } catch (error) {
      this.logger.warn({ msg: 'stats are not written yet', error: (error as Error).message });
    }
  }

  private async next(): Promise<Batch> {
    const counters = new Map<string, number>();
    const rows: Sample[] = [];
    for (const sample of await samplesOf(this.metrics.registry)) {
      const { name, labels, value } = sample;
      if (GAUGES.includes(name)) {
        rows.push(sample);
        continue;
      }
      const key = `${name} ${JSON.stringify(labels)}`;
      counters.set(key, value);
      const grown = value - (this.written.get(key) ?? 0);
      if (grown > 0) rows.push({ name, labels, value: grown });
    }
    return { minute: this.nextMinute(), rows, counters };
  }

  /** The minute that is over; never one that has rows of this node already. */
  private nextMinute(): string {
    const overMs = wallMs() - LATE_MS - SPREAD_MS - 1_000;
    const minuteMs = Math.floor(overMs / MINUTE_MS) * MINUTE_MS;
    this.lastMinuteMs = Math.max(minuteMs, this.lastMinuteMs + MINUTE_MS);
    return rfc3339(new Date(this.lastMinuteMs));
  }

  private async writeBatch({ minute, rows, counters }: Batch): Promise<void> {
    const values = [minute, this.identity.id, JSON.stringify(rows)];
    await this.database.hot('minute_stats', INSERT, values);
    this.written = counters;
    this.batch = null;
  }

  /** After the drain: the last minute is written, too. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    await this.flush();
  }
}
