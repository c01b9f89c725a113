/** The table of sessions, what may be ended in it, and one session in full. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SessionDetail } from '../../../../web/model/console/pages/session.js';
import {
  countLive,
  endAllOf,
  endChosen,
  endIssuedBefore,
  endOthers,
  type ListedSession,
  personOf,
  Sessions,
} from '../../../../web/model/console/pages/sessions.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const session = (id: string, rest: Partial<ListedSession> = {}): ListedSession => ({
  id,
  tenant_id: 'tenant',
  user_id: 'ben',
  guest: false,
  device: 'laptop',
  transport: 'body',
  created_at: '2026-11-30T10:00:00.000Z',
  last_active_at: '2026-11-30T11:00:00.000Z',
  expires_at: '2026-12-30T10:00:00.000Z',
  current: false,
  state: 'live',
  user: { id: 'ben', name: 'Ben', email: 'ben@acme.example' },
  ip: '203.0.113.5',
  user_agent: null,
  connections: 2,
  idle_ends_at: null,
  ended_at: null,
  reason: null,
  ended_by: null,
  receipt: null,
  ...rest,
});
const page = (items: unknown[], next: string | null = null) => ({
  items,
  next_cursor: next,
  partial: [],
});

describe('the table of sessions', () => {
  test('asks for what the URL filters by, and for nothing that it does not know', async () => {
    const caller = new ScriptedCaller(() => page([session('s1')]));
    const sessions = new Sessions(caller);
    await sessions.open({ q: 'ben@', state: 'all', evil: 'x', after: '2026-11-30T08:00' });
    const asked = new URL(caller.calls[0]!.path, 'http://x').searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      q: 'ben@',
      state: 'all',
      limit: '100',
      after: new Date('2026-11-30T08:00').toISOString(),
    });
    expect([
      sessions.isStale({ q: 'ben@x' }),
      sessions.isStale({ state: 'all', q: 'ben@', after: '2026-11-30T08:00' }),
    ]).toEqual([true, false]);
    expect(sessions.cli).toContain('npx wardroom sessions --state all --q ben@');
  });

  test('reads on by the cursor, also over short and empty pages', async () => {
    const pages = [page([session('s1')], 'c1'), page([], 'c2'), page([session('s2')])];
    const caller = new ScriptedCaller(() => pages.shift());
    const { pager } = new Sessions(caller);
    await pager.open({});
    expect(pager.state.value).toBe('more');
    await pager.more();
    expect(pager.items.value.map(({ id }) => id)).toEqual(['s1', 's2']);
    expect(pager.state.value).toBe('whole');
    expect(caller.calls.map(({ path }) => /cursor=(\w+)/.exec(path)?.[1])).toEqual([
      undefined,
      'c1',
      'c2',
    ]);
    await pager.more();
    expect(caller.calls).toHaveLength(3);
  });

  test('drops the answer to an earlier question', async () => {
    let answer: (page: unknown) => void = () => undefined;
    const first = new Promise<unknown>((resolve) => (answer = resolve));
    const caller = new ScriptedCaller((path) =>
      path.includes('old') ? first : page([session('new')]),
    );
    const sessions = new Sessions(caller);
    const old = sessions.open({ q: 'old' });
    await sessions.open({ q: 'new' });
    answer(page([session('old')]));
    await old;
    expect(sessions.pager.items.value.map(({ id }) => id)).toEqual(['new']);
  });

  test('shows a refusal in words', async () => {
    const sessions = new Sessions(
      new ScriptedCaller(() => {
        throw new Refused('role_required', 403);
      }),
    );
    await sessions.open({});
    expect(sessions.pager.trouble.value).toMatchObject({ title: 'Not for your role.' });
  });

  test('selects live sessions only, all and none', async () => {
    const sessions = new Sessions(
      new ScriptedCaller(() =>
        page([session('s1'), session('s2'), session('s3', { state: 'ended' })]),
      ),
    );
    await sessions.open({});
    sessions.toggleAll();
    expect(sessions.chosenSessions.value.map(({ id }) => id)).toEqual(['s1', 's2']);
    sessions.toggle('s1');
    expect(sessions.chosenSessions.value.map(({ id }) => id)).toEqual(['s2']);
    sessions.toggleAll();
    sessions.toggleAll();
    expect(sessions.chosenSessions.value).toEqual([]);
  });

  test('names a guest by an id, as nobody else may be named', () => {
    const user = { id: '01890000-0000-7000-8000-0000deadbeef', name: null, email: null };
    expect(personOf({ user, guest: true }).text).toBe('guest …deadbeef');
  });
});

describe('ending sessions', () => {
  test('counts over all pages, and says when there are more', async () => {
    const full = Array.from({ length: 200 }, (_, i) => session(`s${i}`));
    const two = [page(full, 'c'), page([session('last')])];
    expect(await countLive(new ScriptedCaller(() => two.shift()), { user: 'ben' })).toMatchObject({
      sessions: 201,
      connections: 402,
      more: false,
    });
    const endless = await countLive(new ScriptedCaller(() => page(full, 'c')), { user: 'ben' });
    expect([endless.sessions, endless.more]).toEqual([1_000, true]);
    expect(endAllOf({ id: 'ben', text: 'ben' }, endless, false).effects[0]).toContain(
      'At least 1000',
    );
  });

  test('of a selection is one call each, with the reason', () => {
    const asks = endChosen([session('s1'), session('s2')]).asks('lost laptop');
    expect(asks.map(({ body }) => body)).toEqual([
      { session: 's1', reason: 'lost laptop' },
      { session: 's2', reason: 'lost laptop' },
    ]);
  });

  test('of all but this spares this one', () => {
    const count = { sessions: 3, connections: 3, more: false, ids: ['s1', 's2', 's3'] };
    const deed = endOthers({ id: 'ben', text: 'ben' }, 's2', count, false);
    expect(deed.asks('x').map(({ body }) => (body as { session: string }).session)).toEqual([
      's1',
      's3',
    ]);
    const alone = endOthers({ id: 'ben', text: 'ben' }, 's1', { ...count, ids: ['s1'] }, false);
    expect(alone.effects[0]).toContain('nothing would end');
  });

  test('says so when it signs its operator out', () => {
    expect(endChosen([session('s1', { current: true })]).effects.join(' ')).toContain('signed out');
  });

  test('of what was issued before names that moment', () => {
    const count = { sessions: 1, connections: 0, more: false, ids: ['s1'] };
    const [ask] = endIssuedBefore(
      { id: 'ben', text: 'ben' },
      '2026-11-30T10:00:00.000Z',
      count,
    ).asks('x');
    expect(ask!.body).toEqual({
      user: 'ben',
      issued_before: '2026-11-30T10:00:00.000Z',
      reason: 'x',
    });
  });
});

describe('one session', () => {
  const id = '01890000-0000-7000-8000-000000000001';
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 32);
  const record = (event: string, at: string, rest = {}) => ({
    id: `${event}-${at}`,
    at,
    event,
    session_hash: hash,
    request_id: null,
    detail: {},
    ...rest,
  });
  const script = (path: string): unknown => {
    if (path.startsWith('/v1/admin/sessions')) return page([session(id)]);
    if (path.startsWith('/v1/admin/connections?')) return page([{ id: 'c-live' }]);
    if (path.startsWith('/v1/admin/connections/c-live'))
      return {
        id: 'c-live',
        timeline: [
          { at: '2026-11-30T11:00:01Z', event: 'opened' },
          { at: '2026-11-30T11:00:09Z', event: 'denied', code: 'read_only', decision_id: 'd-1' },
        ],
      };
    return page([
      record('connection_closed', '2026-11-30T11:00:05Z', {
        request_id: 'c-old',
        detail: { side: 'transport', code: 'reset' },
      }),
      record('connection_opened', '2026-11-30T11:00:01Z', { request_id: 'c-live' }),
      record('authz_fail', '2026-11-30T11:00:09Z', { detail: { decision: 'd-1' } }),
      record('session_created', '2026-11-30T11:00:00Z'),
      record('session_created', '2026-11-30T11:00:02Z', { session_hash: 'of another session' }),
    ]);
  };

  test('merges its connections and its audit, newest first, once, and leaves others out', async () => {
    const detail = new SessionDetail(new ScriptedCaller(script), id);
    await detail.load();
    expect(detail.timeline.value.map(({ text, why }) => [text, why])).toEqual([
      ['denied', 'd-1'],
      ['connection closed', 'c-old'],
      ['opened', null],
      ['session created', null],
    ]);
    expect(detail.ended.value).toEqual([
      { id: 'c-old', at: '2026-11-30T11:00:05Z', side: 'transport', code: 'reset' },
    ]);
  });

  test('names who ended it, not only by an id', async () => {
    const detail = new SessionDetail(
      new ScriptedCaller((path) => {
        if (path.includes('user=op'))
          return page([{ user: { email: 'op@system.test', name: 'Op' } }]);
        if (path.startsWith('/v1/admin/sessions')) return page([session(id, { ended_by: 'op' })]);
        return script(path);
      }),
      id,
    );
    await detail.load();
    expect(detail.endedBy.value).toBe('op@system.test');
  });

  test('names a part that was refused, and shows the rest', async () => {
    const detail = new SessionDetail(
      new ScriptedCaller((path) => {
        if (path.startsWith('/v1/admin/connections')) throw new Refused('role_required', 403);
        return script(path);
      }),
      id,
    );
    await detail.load();
    expect(detail.gaps.value[0]).toContain('Live connections');
    expect(detail.timeline.value.length).toBeGreaterThan(0);
  });

  test('that is not there is not found', async () => {
    const detail = new SessionDetail(new ScriptedCaller(() => page([])), id);
    await detail.load();
    expect(detail.trouble.value).toMatchObject({ title: 'Not found.' });
  });
});
