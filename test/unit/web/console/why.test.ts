/** One box: what it takes a text for, and where a token may not go. */
import { describe, expect, test } from '@jest/globals';
import { kindOf, Why } from '../../../../web/model/console/pages/why.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const CLOSE = 'e95d8f91e4f1';
const ID = '01890000-0000-7000-8000-000000000001';
const TOKEN = `eyJhbGciOiJFUzI1NiJ9.${'x'.repeat(40)}.${'y'.repeat(40)}`;
const missing = (): never => {
  throw new Refused('not_found', 404);
};
const close = {
  close_id: CLOSE,
  connection_id: ID,
  session_id: ID,
  user_id: ID,
  tenant_id: ID,
  node: ID,
  ip: '203.0.113.5',
  side: 'server',
  code: 'session_revoked',
  status: 1008,
  action: 'login',
  at: '2026-11-30T10:01:00.000Z',
  opened_at: '2026-11-30T10:00:00.000Z',
  token_expires_at: null,
  session_ended_at: '2026-11-30T10:01:00.000Z',
  reason: 'revoked',
  ended_by: ID,
  receipt: ID,
  told: { code: 'session_revoked', action: 'login', close_id: CLOSE },
  sentence:
    'The server closed it with `session_revoked`: its session was revoked, by somebody else (`ended_by`).',
};

describe('the box', () => {
  test.each([
    [CLOSE, 'close'],
    [CLOSE.toUpperCase(), 'close'],
    [ID, 'id'],
    ['ben@acme.example', 'person'],
    ['Ben Miller', 'person'],
    [TOKEN, 'token'],
    ['wr_rt_abc.def', 'token'],
    ['wr_sk_abc', 'token'],
    ['f'.repeat(64), 'token'],
    [`${'very.long.name.'.repeat(6)}@acme.example`, 'person'],
    ['   ', 'nothing'],
  ])('takes %j for a %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});

describe('Why', () => {
  test('answers for a close in a sentence, what the client should do, and the evidence', async () => {
    const caller = new ScriptedCaller((path) =>
      path.startsWith('/v1/admin/closes')
        ? close
        : {
            items: path.startsWith('/v1/admin/audit') ? [] : [{ user: { email: 'op@x.example' } }],
          },
    );
    const why = new Why(caller);
    expect(await why.ask(` ${CLOSE} `)).toBe(CLOSE);
    expect(why.answer.value).toMatchObject({
      sentence:
        'The server closed it with `session_revoked`: its session was revoked, by op@x.example.',
      advice: '`login`: a person must sign in again',
      cli: `npx wardroom why ${CLOSE}`,
    });
    expect(why.answer.value!.facts).toContainEqual({
      name: 'the client was told',
      value: 'session_revoked, login',
      as: 'text',
    });
  });

  test('waits for the end of a moment ago, and no longer than two seconds', async () => {
    let asked = 0;
    const waited: number[] = [];
    const pause = (ms: number) => Promise.resolve(void waited.push(ms));
    const late = (path: string) => {
      if (!path.startsWith('/v1/admin/closes')) return { items: [] };
      asked += 1;
      return asked === 2 ? close : missing();
    };
    const why = new Why(new ScriptedCaller(late), pause);
    await why.ask(CLOSE);
    expect([why.state.value, asked]).toEqual(['answered', 2]);
    const never = new Why(new ScriptedCaller(missing), pause);
    waited.length = 0;
    await never.ask(CLOSE);
    expect([never.state.value, waited.length]).toEqual(['unknown', 3]);
  });

  test('sends a token in a body only, and gives nothing back for the URL', async () => {
    const caller = new ScriptedCaller(() => ({
      kind: 'access_token',
      verdict: 'expired',
      sentence: 'Its time is over (`exp`).',
      code: 'auth_invalid',
      action: 'refresh',
      verified: true,
      server_time: '2026-11-30T10:00:00.000Z',
      issued_at: null,
      expires_at: null,
      expires_in_ms: -61_000,
      key: null,
      session: null,
      user: null,
      tenant: null,
      refresh: null,
      claims: null,
    }));
    const why = new Why(caller);
    expect(await why.ask(TOKEN)).toBe('');
    expect(caller.calls).toEqual([
      { method: 'POST', path: '/v1/admin/tokens/inspect', body: { token: TOKEN } },
    ]);
    expect(JSON.stringify(why.answer.value)).not.toContain(TOKEN.slice(0, 30));
    expect(why.answer.value!.facts).toContainEqual({
      name: 'left',
      value: 'over for 1 min',
      as: 'text',
    });
  });

  test('looks for an id as a close, a decision, a request, then a session or user', async () => {
    const caller = new ScriptedCaller((path) => {
      if (path.startsWith('/v1/admin/closes') || path.startsWith('/v1/admin/decisions'))
        return missing();
      return { items: [] };
    });
    const why = new Why(caller);
    await why.ask(ID);
    expect(why.state.value).toBe('unknown');
    expect(caller.calls.map(({ path }) => path.split('?')[0])).toEqual([
      `/v1/admin/closes/${ID}`,
      `/v1/admin/decisions/${ID}`,
      '/v1/admin/audit',
      '/v1/admin/sessions',
    ]);
  });

  test('names the rule of a refusal', async () => {
    const why = new Why(
      new ScriptedCaller((path) =>
        path.startsWith('/v1/admin/decisions')
          ? {
              id: ID,
              at: '2026-11-30T10:00:00.000Z',
              user: ID,
              session: ID,
              room: 'staff',
              action: 'publish',
              rule: 'write.2_viewer',
              code: 'read_only',
              authority_position: 7,
              facts: {
                room: { visibility: 'private', posting: 'members', open: true },
                member: { role: 'viewer', muted_until: null, banned: false },
                user: { role: 'member', active: true },
              },
            }
          : missing(),
      ),
    );
    await why.ask(ID);
    expect(why.answer.value!.sentence).toBe(
      '`publish` in room `staff` was refused with `read_only` by the rule `write.2_viewer`.',
    );
  });

  test('tells of a person what is live, and how the last one ended', async () => {
    const base = { user_id: 'b', device: null, created_at: '2026-11-30T08:00:00Z', connections: 1 };
    const user = { id: 'b', name: 'Ben', email: 'ben@acme.example' };
    const why = new Why(
      new ScriptedCaller(() => ({
        items: [
          { ...base, id: 's1', user, state: 'live', ended_at: null, reason: null, ended_by: null },
          {
            ...base,
            id: 's2',
            user,
            state: 'ended',
            ended_at: '2026-11-30T09:00:00Z',
            reason: 'logout',
            ended_by: 'b',
          },
          {
            ...base,
            id: 's3',
            user,
            state: 'ended',
            ended_at: '2026-11-30T09:30:00Z',
            reason: 'revoked',
            ended_by: 'op',
          },
        ],
      })),
    );
    await why.ask('ben@acme.example');
    expect(why.answer.value!.sentence).toBe(
      'ben@acme.example has 1 live session with 1 connection. The last one that ended: `revoked`, by somebody else.',
    );
  });

  test('does not take a refusal of the role for "not found"', async () => {
    const why = new Why(
      new ScriptedCaller(() => {
        throw new Refused('role_required', 403);
      }),
    );
    await why.ask(TOKEN);
    expect([why.state.value, why.trouble.value?.title]).toEqual(['failed', 'Not for your role.']);
  });
});
