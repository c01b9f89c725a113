/** The monthly review and the audit, as the console shows them. */
import { describe, expect, test } from '@jest/globals';
import { Audit } from '../../../../web/model/console/pages/audit.js';
import {
  figuresText,
  hasBegun,
  monthAfter,
  MonthlyReview,
  signOff,
  trendOf,
} from '../../../../web/model/console/pages/review.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const figures = (count: number, of: number) => ({ count, of, share: of === 0 ? 0 : count / of });
const review = {
  month: '2026-10',
  whole: true,
  data_since: null,
  verdict: 'ok',
  items: [],
  signed: [],
};

describe('the monthly review', () => {
  test('goes from month to month over the end of a year, and not into the future', () => {
    expect([monthAfter('2026-12', 1), monthAfter('2026-01', -1)]).toEqual(['2027-01', '2025-12']);
    const now = Date.parse('2026-11-30T23:59:59Z');
    expect([hasBegun('2026-11', now), hasBegun('2026-12', now)]).toEqual([true, false]);
  });

  test('compares shares, since months have different lengths', () => {
    expect(trendOf(figures(10, 1_000), figures(10, 500))).toBe('less');
    expect(trendOf(figures(5, 10), figures(10, 20))).toBe('same');
    expect(trendOf(figures(5, 10), figures(0, 0))).toBe('new');
    expect(figuresText(figures(3, 1_204))).toBe('3 of 1,204 (0.25 %)');
    expect(figuresText(figures(0, 0))).toBe('0 of 0 (0 %)');
  });

  test('shows the history of signatures beside the month', async () => {
    const caller = new ScriptedCaller((path) =>
      path.startsWith('/v1/admin/review')
        ? review
        : {
            items: [
              {
                at: '2026-11-02T10:00:00Z',
                actor_id: 'op',
                detail: { month: '2026-10', verdict: 'ok', note: 'nothing to do' },
              },
            ],
          },
    );
    const model = new MonthlyReview(caller);
    await model.load('2026-10');
    expect(model.history.value).toEqual([
      {
        at: '2026-11-02T10:00:00Z',
        by: 'op',
        month: '2026-10',
        verdict: 'ok',
        note: 'nothing to do',
      },
    ]);
    expect(caller.calls.map(({ path }) => path)).toContain('/v1/admin/review?month=2026-10');
  });

  test('of a month that the server refuses says why, and shows no other', async () => {
    const model = new MonthlyReview(
      new ScriptedCaller(() => {
        throw new Refused('invalid_request', 422);
      }),
    );
    await model.load('2099-01');
    expect([model.review.value, model.trouble.value?.title]).toEqual([null, 'Refused.']);
  });

  test('is signed with a note, and says that a month goes on', () => {
    const deed = signOff({ ...review, whole: false } as never);
    expect(deed.asks('seen')[0]!.body).toEqual({ month: '2026-10', note: 'seen' });
    expect(deed.effects.join(' ')).toContain('not over');
    expect(deed.cli('all is well')).toEqual([
      "npx wardroom review sign 2026-10 --note 'all is well'",
    ]);
  });
});

describe('the audit', () => {
  const record = (id: string) => ({ id, detail: {} });
  const page = (...ids: string[]) => ({ items: ids.map(record), next_cursor: null });

  test('puts what is new before what is shown, and shows nothing twice', async () => {
    const pages = [page('2', '1'), page('3', '2', '1'), page('3', '2', '1')];
    const audit = new Audit(new ScriptedCaller(() => pages.shift()));
    await audit.open({ event: 'authz_fail', token: 'x' });
    await audit.look();
    await audit.look();
    expect(audit.pager.items.value.map(({ id }) => id)).toEqual(['3', '2', '1']);
    expect(audit.path).toBe('/v1/admin/audit?event=authz_fail');
  });

  test('finds a person by their address, and leaves the refusal of an unknown one to the server', async () => {
    const caller = new ScriptedCaller((path) => {
      if (!path.startsWith('/v1/admin/sessions')) return page('1');
      return { items: path.includes('ben%40') ? [{ user: { id: 'u-1' } }] : [] };
    });
    const audit = new Audit(caller);
    await audit.open({ user: 'ben@acme.example' });
    expect(audit.path).toBe('/v1/admin/audit?user=u-1');
    await audit.open({ user: 'who@acme.example' });
    expect(audit.path).toBe('/v1/admin/audit?user=who%40acme.example');
  });

  test('says when more came than one look holds', async () => {
    const many = Array.from({ length: 100 }, (_, i) => `new-${i}`);
    const pages = [page('old'), page(...many)];
    const audit = new Audit(new ScriptedCaller(() => pages.shift()));
    await audit.open({});
    await audit.look();
    expect(audit.missed.value).toBe(true);
  });

  test('keeps its records through a look without an answer', async () => {
    let looks = 0;
    const audit = new Audit(
      new ScriptedCaller(() => {
        looks += 1;
        if (looks === 2) throw new Refused('network', 0);
        return page('1');
      }),
    );
    await audit.open({});
    await audit.look();
    expect([audit.pager.items.value.length, audit.trouble.value?.title]).toEqual([1, 'No answer.']);
    await audit.look();
    expect(audit.trouble.value).toBeNull();
  });
});
