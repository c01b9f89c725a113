/** Reads the stats of all nodes: sums of a period, and series of a bounded number of points. */
import { Injectable } from '@nestjs/common';
import { rfc3339 } from '../platform/clock.js';
import { Database } from '../platform/stores/database.js';
import { GAUGES } from './minute-stats.js';

const HOUR = 3_600;
/** At most 144 points each. */
export const STATS_RANGES = {
  '1h': { seconds: HOUR, bucket: 60 },
  '24h': { seconds: 24 * HOUR, bucket: 600 },
  '30d': { seconds: 30 * 24 * HOUR, bucket: 6 * HOUR },
} as const;
export type StatsRange = keyof typeof STATS_RANGES;
export const SERIES_MAX = 500;

/** Of the newest summed hour, and of what came after it, the minutes are read. */
const EDGE = `WITH edge AS (SELECT coalesce(max(hour), '-infinity') AS at FROM hour_stats)`;

/** $1, $2: from, to. $3: names. */
const TOTALS = `${EDGE}
  SELECT name, labels, sum(value) AS value FROM (
    SELECT name, labels, value FROM hour_stats, edge
    WHERE hour >= $1 AND hour < least($2, edge.at) AND name = ANY($3)
    UNION ALL
    SELECT name, labels, value FROM minute_stats, edge
    WHERE minute >= greatest($1, edge.at) AND minute < $2 AND name = ANY($3)) s
  GROUP BY name, labels`;

/** $1, $2: from, to. $3: seconds of a bucket. $4: gauges. $5: a name, or null for all. */
const BY_MINUTES = `
  SELECT name, labels, floor(extract(epoch FROM minute - $1::timestamptz) / $3)::int AS bucket,
    CASE WHEN name = ANY($4) THEN sum(value) / count(DISTINCT minute) ELSE sum(value) END AS value
  FROM minute_stats WHERE minute >= $1 AND minute < $2 AND ($5::text IS NULL OR name = $5)
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;

const BY_HOURS = `${EDGE},
  hours AS (
    SELECT hour, name, labels, value FROM hour_stats, edge
    WHERE hour >= $1 AND hour < least($2, edge.at) AND ($5::text IS NULL OR name = $5)
    UNION ALL
    SELECT date_trunc('hour', minute), name, labels,
      CASE WHEN name = ANY($4) THEN sum(value) / count(DISTINCT minute) ELSE sum(value) END
    FROM minute_stats, edge
    WHERE minute >= greatest($1, edge.at) AND minute < $2 AND ($5::text IS NULL OR name = $5)
    GROUP BY 1, 2, 3)
  SELECT name, labels, floor(extract(epoch FROM hour - $1::timestamptz) / $3)::int AS bucket,
    CASE WHEN name = ANY($4) THEN avg(value) ELSE sum(value) END AS value
  FROM hours GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;

const SINCE = `
  SELECT least((SELECT min(hour) FROM hour_stats), (SELECT min(minute) FROM minute_stats)) AS since`;

type Labels = Readonly<Record<string, string>>;

export interface Total {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Series {
  readonly name: string;
  readonly labels: Labels;
  /** Null in a gauge: nobody said. */
  readonly values: (number | null)[];
}

export interface StatsView {
  readonly range: StatsRange;
  readonly from: string;
  readonly bucket_seconds: number;
  readonly points: number;
  readonly series: Series[];
  readonly truncated: boolean;
}

@Injectable()
export class ReadStats {
  constructor(private readonly database: Database) {}

  /** Sums over all nodes of what the counters grew by. */
  async totals(from: Date, to: Date, names: readonly string[]): Promise<Total[]> {
    return (await this.database.pool.query<Total>(TOTALS, [from, to, names])).rows;
  }

  /** Before it nothing was counted, or is kept. */
  async since(): Promise<Date | null> {
    return (await this.database.pool.query<{ since: Date | null }>(SINCE)).rows[0]?.since ?? null;
  }

  /** Series up to `nowMs`; the last point is of a time that is not over. */
  async series(range: StatsRange, name: string | undefined, nowMs: number): Promise<StatsView> {
    const { seconds, bucket } = STATS_RANGES[range];
    const toMs = (Math.floor(nowMs / 1000 / bucket) + 1) * bucket * 1000;
    const from = new Date(toMs - seconds * 1000);
    const points = seconds / bucket;
    const { rows } = await this.database.pool.query<Total & { bucket: number }>(
      range === '30d' ? BY_HOURS : BY_MINUTES,
      [from, new Date(toMs), bucket, GAUGES, name ?? null],
    );
    const series = new Map<string, Series>();
    for (const { bucket: point, value, ...of } of rows) {
      const key = `${of.name} ${JSON.stringify(of.labels)}`;
      const empty = GAUGES.includes(of.name) ? null : 0;
      const line = series.get(key) ?? { ...of, values: Array(points).fill(empty) };
      line.values[point] = value;
      series.set(key, line);
    }
    return {
      range,
      from: rfc3339(from),
      bucket_seconds: bucket,
      points,
      series: [...series.values()].slice(0, SERIES_MAX),
      truncated: series.size > SERIES_MAX,
    };
  }
}
