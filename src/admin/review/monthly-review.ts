/**
 * The monthly review: five items, each judged by its share and by the month before, and the
 * operator's signature in the audit.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { rfc3339, wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { redactText } from '../../platform/log/redact-text.js';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { ReadStats } from '../../stats/read-stats.js';
import { TroubledClients } from '../../stats/troubled-clients.js';
import { AdminAuthorization } from '../admin-authorization.js';
import { ITEMS, REVIEW_COUNTERS } from './measures.js';
import type { Review, SignReview, SignedReview } from './review.schema.js';
import { figuresOf, judge, worstOf } from './verdict.js';

const WORST = 10;
const SIGNED_MAX = 50;
const INSTALLATION = { tenantId: null };

const SIGNED = `
  SELECT at, actor_id AS by, detail ->> 'note' AS note FROM audit_events
  WHERE event = 'review_signed' AND detail ->> 'month' = $1 ORDER BY id DESC LIMIT ${SIGNED_MAX}`;

@Injectable()
export class MonthlyReview {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly stats: ReadStats,
    private readonly clients: TroubledClients,
  ) {}

  /** Absent: the last whole month. */
  async of(principal: Principal, asked: string | undefined): Promise<Review> {
    await this.admin.require(principal, 'read_review', INSTALLATION);
    const month = asked ?? monthBefore(monthOf(wallMs()));
    requirePast(month);
    return this.read(month);
  }

  private async read(month: string): Promise<Review> {
    const [from, to] = [startOf(month), startOf(monthAfter(month))];
    const lastFrom = startOf(monthBefore(month));
    const [now, before, since, worst, { rows: signed }] = await Promise.all([
      this.stats.totals(from, to, REVIEW_COUNTERS),
      this.stats.totals(lastFrom, from, REVIEW_COUNTERS),
      this.stats.since(),
      this.clients.worst(from, to, WORST),
      this.database.pool.query<{ at: Date; by: string | null; note: string }>(SIGNED, [month]),
    ]);
    const items = ITEMS.map(({ item, title, measures, advice }) => {
      const judged = measures.map((measure) => {
        const thisMonth = figuresOf(measure, now);
        const lastMonth = figuresOf(measure, before);
        return {
          what: measure.what,
          of_what: measure.ofWhat,
          this_month: thisMonth,
          last_month: lastMonth,
          ...judge(measure, thisMonth, lastMonth),
        };
      });
      return {
        item,
        title,
        verdict: worstOf(judged.map(({ verdict }) => verdict)),
        measures: judged,
        worst: worst
          .filter((client) => client.item === item)
          .map(({ client, count }) => ({ client, count })),
        advice,
      };
    });
    return {
      month,
      whole: wallMs() >= to.getTime(),
      data_since: since === null ? null : rfc3339(since),
      verdict: worstOf(items.map(({ verdict }) => verdict)),
      items,
      signed: signed.map(({ at, by, note }) => ({ at: rfc3339(at), by, note })),
    };
  }

  /** With the present verdict: later events are in another review. */
  async sign(principal: Principal, { month, note: text }: SignReview): Promise<SignedReview> {
    await this.admin.require(principal, 'sign_review', INSTALLATION);
    requirePast(month);
    const { verdict, items } = await this.read(month);
    const note = redactText(text);
    const verdicts = Object.fromEntries(items.map((item) => [item.item, item.verdict]));
    return this.database.transaction(async (tx) => {
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'sign_review', INSTALLATION);
      recordAudit(tx, { event: 'review_signed', detail: { month, note, verdict, verdicts } });
      return { month, at: rfc3339(new Date(wallMs())), by: principal.userId, note, verdict };
    });
  }
}

function requirePast(month: string): void {
  if (month > monthOf(wallMs()))
    throw new DomainError('invalid_request', {
      errors: [{ path: 'month', message: 'is in the future' }],
    });
}

const monthOf = (ms: number): string => rfc3339(new Date(ms)).slice(0, 7);
const startOf = (month: string): Date => new Date(`${month}-01T00:00:00.000Z`);
const monthBefore = (month: string): string => monthOf(startOf(month).getTime() - 1);
/** The 32nd day of a month is one of the next. */
const monthAfter = (month: string): string => monthOf(startOf(month).getTime() + 31 * 86_400_000);
