/** The monthly review: five questions, this month beside the last, the worst, the signature. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge, type BadgeTone } from '../../kit/said/badge.js';
import { Banner } from '../../kit/said/banner.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Pane } from '../../kit/pane.js';
import {
  figuresText,
  hasBegun,
  monthAfter,
  MonthlyReview,
  type ReviewItem,
  signOff,
  trendOf,
} from '../../model/console/pages/review.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, Sentence, TroubleLine } from '../parts.js';

const TONES: Record<string, BadgeTone> = { ok: 'plain', watch: 'warn', act: 'bad' };
const TREND = { more: '▲ more', less: '▼ less', same: 'as before', new: 'no month before' };

export function ReviewPage({ console, rights, place: { id: month } }: PageProps) {
  const model = useMemo(() => new MonthlyReview(console.caller), [console]);
  useEffect(() => void model.load(month), [model, month]);
  const load = () => void model.load(month);
  const review = model.review.value;
  const maySign = rights.may('sign_review', { tenantId: null });
  const go = (by: number) => console.go('review', monthAfter(review!.month, by));
  return (
    <section aria-label="Review" class="stack">
      <TroubleLine trouble={model.trouble.value} again={load} />
      {review === null ? (
        model.loading.value ? (
          <p class="empty">Counting the month …</p>
        ) : null
      ) : (
        <>
          <div class="review-head">
            <Button onClick={() => go(-1)} label="The month before">
              ‹
            </Button>
            <h2>{review.month}</h2>
            <Button
              onClick={() => go(1)}
              label="The next month"
              disabled={!hasBegun(monthAfter(review.month, 1), Date.now())}
            >
              ›
            </Button>
            <Badge tone={TONES[review.verdict]!} text={review.verdict} />
            {review.whole ? null : <small>so far: the month is not over</small>}
            <small>
              counted since <Moment at={review.data_since} none="never" />
            </small>
            <span class="grow" />
            <CopyAs
              console={console}
              asks={[{ method: 'GET', path: `/v1/admin/review?month=${review.month}` }]}
              cli={`npx wardroom review ${review.month}`}
            />
            {maySign ? (
              <Button look="accent" onClick={() => console.begin(signOff(review), load)}>
                Sign off …
              </Button>
            ) : null}
          </div>
          {review.data_since === null ? (
            <Banner
              tone="plain"
              title="Nothing was counted in this month."
              text="Nodes write a row a minute; a new installation has its first review next month."
            />
          ) : null}
          {review.items.map((item) => (
            <Question key={item.item} item={item} month={review.month} />
          ))}
          <Pane title="Signed off" label="Signatures">
            {model.history.value.length === 0 ? (
              <p class="empty">No review has been signed off yet.</p>
            ) : (
              <ul class="ended-list">
                {model.history.value.map(({ month: of, at, by, verdict, note }) => (
                  <li key={at}>
                    <strong>{of}</strong> <Badge tone={TONES[verdict] ?? 'plain'} text={verdict} />{' '}
                    {note}{' '}
                    <small>
                      <Moment at={at} /> by{' '}
                      {by === null ? 'nobody known' : <Id id={by} of="user" />}
                    </small>
                  </li>
                ))}
              </ul>
            )}
          </Pane>
        </>
      )}
    </section>
  );
}

function Question({ item, month }: { item: ReviewItem; month: string }) {
  return (
    <Pane
      title={item.title}
      label={item.title}
      aside={<Badge tone={TONES[item.verdict]!} text={item.verdict} />}
    >
      <div class="table-box">
        <table class="table plain">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" class="end">
                {month}
              </th>
              <th scope="col" class="end">
                {monthAfter(month, -1)}
              </th>
              <th scope="col" class="from-m">
                Trend
              </th>
              <th scope="col">Verdict</th>
              <th scope="col" class="from-l">
                Because
              </th>
            </tr>
          </thead>
          <tbody>
            {item.measures.map(({ what, of_what, this_month, last_month, verdict, threshold }) => (
              <tr key={what}>
                <td class="wide" title={`${what}, of ${of_what}`}>
                  <Sentence text={what} />
                </td>
                <td class="end">{figuresText(this_month)}</td>
                <td class="end">{figuresText(last_month)}</td>
                <td class="from-m">{TREND[trendOf(this_month, last_month)]}</td>
                <td>
                  <Badge tone={TONES[verdict]!} text={verdict} />
                </td>
                <td class="from-l" title={threshold}>
                  {threshold}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {item.verdict === 'ok' ? null : (
        <p class="note">
          <strong>What to do.</strong> <Sentence text={item.advice} />
        </p>
      )}
      {item.worst.length === 0 ? null : (
        <details class="worst">
          <summary>Worst clients ({item.worst.length}), under a keyed hash</summary>
          <ol>
            {item.worst.map(({ client, count }) => (
              <li key={client}>
                <code>{client}</code> {count}
              </li>
            ))}
          </ol>
        </details>
      )}
    </Pane>
  );
}
