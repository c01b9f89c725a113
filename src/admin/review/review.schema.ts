/** The monthly review and the stats behind it. Source: docs/contract.md, section 10. */
import * as z from 'zod';
import { plainText } from '../../platform/zod.js';
import { STATS_RANGES } from '../../stats/read-stats.js';
import type { StatsRange } from '../../stats/read-stats.js';
import { REVIEW_ITEMS } from '../../stats/troubled-clients.js';

const month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'must be a month as YYYY-MM')
  .meta({ description: 'YYYY-MM, in UTC' });
const verdict = z.enum(['ok', 'watch', 'act']);

export const reviewQuerySchema = z.strictObject({
  month: month.optional().meta({ description: 'YYYY-MM, in UTC; absent: the last whole month' }),
});
export type ReviewQuery = z.infer<typeof reviewQuerySchema>;

export const signReviewSchema = z.strictObject({
  month,
  note: plainText(1, 1_000).meta({ description: 'what was found and decided; kept in the audit' }),
});
export type SignReview = z.infer<typeof signReviewSchema>;

const figures = {
  count: z.number(),
  of: z.number().meta({ description: 'what the share is of' }),
  share: z.number().meta({ description: '0 where nothing happened' }),
};

const signed = z.object({
  at: z.iso.datetime(),
  by: z.uuid().nullable().meta({ description: 'the operator' }),
  note: z.string(),
});

export const reviewSchema = z
  .object({
    month,
    whole: z.boolean().meta({ description: 'the month is over' }),
    data_since: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'what was before is not counted; null: nothing is' }),
    verdict,
    items: z.array(
      z.object({
        item: z.enum(REVIEW_ITEMS),
        title: z.string(),
        verdict,
        measures: z.array(
          z.object({
            what: z.string(),
            of_what: z.string(),
            this_month: z.object(figures),
            last_month: z.object(figures),
            verdict,
            threshold: z.string().meta({ description: 'that made the verdict' }),
          }),
        ),
        worst: z
          .array(z.object({ client: z.string(), count: z.number() }))
          .meta({ description: 'ten clients, under a keyed hash' }),
        advice: z.string(),
      }),
    ),
    signed: z.array(signed),
  })
  .meta({ id: 'Review' });
export type Review = z.infer<typeof reviewSchema>;

export const signedReviewSchema = signed
  .extend({ month, verdict: verdict.meta({ description: 'of the review when it was signed' }) })
  .meta({ id: 'SignedReview' });
export type SignedReview = z.infer<typeof signedReviewSchema>;

export const statsQuerySchema = z.strictObject({
  range: z.enum(Object.keys(STATS_RANGES) as [StatsRange, ...StatsRange[]]),
  name: plainText(1, 100).optional().meta({ description: 'only this metric' }),
});
export type StatsQuery = z.infer<typeof statsQuerySchema>;

export const statsSchema = z
  .object({
    range: z.enum(Object.keys(STATS_RANGES) as [StatsRange, ...StatsRange[]]),
    from: z.iso.datetime().meta({ description: 'the beginning of the first point' }),
    bucket_seconds: z.int(),
    points: z.int(),
    series: z.array(
      z.object({
        name: z.string().meta({ description: 'of the metric, as Prometheus has it' }),
        labels: z.record(z.string(), z.string()),
        values: z
          .array(z.number().nullable())
          .meta({ description: 'growth in each point; of a gauge its mean, or null' }),
      }),
    ),
    truncated: z.boolean().meta({ description: 'there are more series: ask for one by `name`' }),
  })
  .meta({ id: 'Stats' });
export type Stats = z.infer<typeof statsSchema>;
