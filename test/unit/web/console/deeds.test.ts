/** Changes of people, tenants, rooms, service accounts and keys: their words and their calls. */
import { describe, expect, test } from '@jest/globals';
import type { Deed } from '../../../../web/model/console/deed.js';
import { curlOf } from '../../../../web/model/console/rest.js';
import { differencesOf, EffectiveConfig } from '../../../../web/model/console/pages/config.js';
import {
  mayBeWithdrawn,
  rotateKey,
  type SigningKey,
  withdrawKey,
} from '../../../../web/model/console/pages/keys.js';
import * as invites from '../../../../web/model/console/pages/invites.js';
import * as people from '../../../../web/model/console/pages/people.js';
import * as rooms from '../../../../web/model/console/pages/rooms.js';
import * as services from '../../../../web/model/console/pages/services.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const user = {
  id: 'u1',
  email: 'ben@acme.example',
  role: 'member',
  state: 'active',
} as people.UserView;
const tenant = { id: 't1', slug: 'acme', state: 'active' } as people.TenantView;
const member = { room_id: 'r1', user_id: 'u1', name: 'Ben', role: 'member' } as rooms.MemberView;
const room = { id: 'r1', name: 'Lobby', archived: false } as rooms.RoomView;
const invite = { id: 'i1', email: null, uses: 2, max_uses: 3 } as invites.Invite;
const account = { id: 'a1', name: 'billing', keys: [{}, {}] } as unknown as services.ServiceAccount;
const key = (state: SigningKey['state']) => ({ kid: 'k1', state }) as SigningKey;
const sent = (deed: Deed) => deed.asks('why').map(({ method, path, body }) => [method, path, body]);

describe('each change sends one call, and says whether it can be undone', () => {
  const nowMs = Date.parse('2026-11-30T10:00:00Z');
  test.each<[string, Deed, [string, string, unknown?], boolean]>([
    [
      'suspend',
      people.suspend(user),
      ['PATCH', '/v1/admin/users/u1', { state: 'suspended' }],
      true,
    ],
    ['let in', people.restore(user), ['PATCH', '/v1/admin/users/u1', { state: 'active' }], false],
    [
      'role',
      people.changeRole(user, 'admin'),
      ['PATCH', '/v1/admin/users/u1', { role: 'admin' }],
      false,
    ],
    [
      'password',
      people.resetPassword(user),
      ['POST', '/v1/admin/users/u1/password-reset', {}],
      false,
    ],
    [
      'new tenant',
      people.createTenant('acme', 'Acme'),
      ['POST', '/v1/admin/tenants', { slug: 'acme', name: 'Acme' }],
      false,
    ],
    [
      'disable',
      people.changeTenant(tenant, { state: 'disabled' }),
      ['PATCH', '/v1/admin/tenants/t1', { state: 'disabled' }],
      true,
    ],
    [
      'no guests',
      people.changeTenant(tenant, { allow_guests: false }),
      ['PATCH', '/v1/admin/tenants/t1', { allow_guests: false }],
      true,
    ],
    ['erase', people.eraseTenant(tenant), ['DELETE', '/v1/admin/tenants/t1', undefined], true],
    [
      'invite one',
      invites.createInvite('acme', { email: 'x@y.example', uses: '9', seconds: '86400' }),
      ['POST', '/v1/admin/tenants/acme/invites', { email: 'x@y.example', expires_in: 86_400 }],
      false,
    ],
    [
      'invite some',
      invites.createInvite('acme', { email: '', uses: '9', seconds: '86400' }),
      ['POST', '/v1/admin/tenants/acme/invites', { max_uses: 9, expires_in: 86_400 }],
      false,
    ],
    [
      'withdraw an invitation',
      invites.withdrawInvite('acme', invite),
      ['DELETE', '/v1/admin/tenants/acme/invites/i1', undefined],
      true,
    ],
    ['rotate the key', rotateKey(), ['POST', '/v1/admin/keys/rotate', { reason: 'why' }], false],
    [
      'mute',
      rooms.mute(member, 10, nowMs),
      ['PATCH', '/v1/rooms/r1/members/u1', { muted_until: '2026-11-30T10:10:00.000Z' }],
      true,
    ],
    [
      'unmute',
      rooms.unmute(member),
      ['PATCH', '/v1/rooms/r1/members/u1', { muted_until: null }],
      false,
    ],
    ['ban', rooms.ban(member), ['PATCH', '/v1/rooms/r1/members/u1', { banned: true }], true],
    ['unban', rooms.unban(member), ['PATCH', '/v1/rooms/r1/members/u1', { banned: false }], false],
    [
      'promote',
      rooms.setRole(member, 'owner'),
      ['PATCH', '/v1/rooms/r1/members/u1', { role: 'owner' }],
      false,
    ],
    ['remove', rooms.removeMember(member), ['DELETE', '/v1/rooms/r1/members/u1', undefined], true],
    ['archive', rooms.archive(room), ['PATCH', '/v1/rooms/r1', { archived: true }], true],
    [
      'open',
      rooms.archive({ ...room, archived: true }),
      ['PATCH', '/v1/rooms/r1', { archived: false }],
      false,
    ],
    ['delete', rooms.deleteRoom(room), ['DELETE', '/v1/rooms/r1', undefined], true],
    [
      'account',
      services.createAccount('acme', 'billing', ['users']),
      ['POST', '/v1/admin/tenants/acme/service-accounts', { name: 'billing', scopes: ['users'] }],
      false,
    ],
    [
      'suspend account',
      services.changeAccount('acme', account, 'suspended'),
      ['PATCH', '/v1/admin/tenants/acme/service-accounts/a1', { state: 'suspended' }],
      true,
    ],
    [
      'new key',
      services.createKey('acme', account),
      ['POST', '/v1/admin/tenants/acme/service-accounts/a1/keys', {}],
      false,
    ],
    [
      'end key',
      services.endKey('acme', account, 'k1'),
      ['DELETE', '/v1/admin/tenants/acme/service-accounts/a1/keys/k1', undefined],
      true,
    ],
    [
      'withdraw',
      withdrawKey(key('signing')),
      ['POST', '/v1/admin/revocations', { key: 'k1', reason: 'why' }],
      true,
    ],
  ])('%s', (_, deed, call, destructive) => {
    expect(sent(deed)).toEqual([[call[0], call[1], call[2]]]);
    expect(deed.destructive).toBe(destructive);
    if (destructive) expect(deed.undo).not.toBeNull();
    expect(deed.effects.length).toBeGreaterThan(0);
  });

  test.each([
    ['0', false],
    ['1.5', false],
    ['many', false],
    ['', true],
    ['12', true],
  ])('an invitation that may be used "%s" times can be made: %j', (uses, isGood) => {
    expect(invites.faultOf({ email: '', uses, seconds: '60' }) === null).toBe(isGood);
  });

  test('a secret comes out of the answer of its call, and of no other', () => {
    expect(services.createKey('acme', account).shown?.([{ key: 'wr_sk_1' }])).toBe('wr_sk_1');
    expect(people.resetPassword(user).shown?.([])).toBeNull();
  });

  test('a first password is sent, and never part of what is copied', () => {
    const [ask] = people
      .createUser('t1', { email: 'x@y.example', name: 'X', password: 'secret-1', role: 'member' })
      .asks('');
    expect(ask!.body).toMatchObject({ password: 'secret-1' });
    expect(curlOf('https://x', ask!)).not.toContain('secret-1');
  });

  test('a name cannot turn the words of a question around', () => {
    const hostile = { ...member, name: '\u202Enimda' };
    for (const deed of [
      rooms.ban(hostile),
      rooms.setRole(hostile, 'owner'),
      rooms.removeMember(hostile),
    ])
      expect(deed.title).not.toContain('\u202E');
  });

  test('a key that is withdrawn is not withdrawn again', () => {
    expect([mayBeWithdrawn(key('withdrawn')), mayBeWithdrawn(key('retired'))]).toEqual([
      false,
      true,
    ]);
  });

  test('nobody becomes a member among operators, or an operator elsewhere', () => {
    expect(people.rolesIn(true)).toEqual(['operator', 'auditor']);
    expect(people.rolesIn(false)).toEqual(['member', 'admin']);
  });
});

test('people are found by a piece of their address or name, or by their id', async () => {
  const caller = new ScriptedCaller(() => ({
    items: [
      { id: 'u1', email: 'ben@acme.example', name: 'Benjamin' },
      { id: 'u2', email: 'cora@acme.example', name: 'Cora' },
    ],
    next_cursor: null,
  }));
  const model = new people.People(caller);
  await model.open('acme & co');
  expect(caller.calls[0]!.path).toMatch(/^\/v1\/admin\/tenants\/acme%20%26%20co\/users\?/);
  for (const [typed, ids] of [
    ['JAMIN', ['u1']],
    ['acme', ['u1', 'u2']],
    ['u2', ['u2']],
  ] as const) {
    model.typed.value = typed;
    expect(model.shown.value.map(({ id }) => id)).toEqual(ids);
  }
});

describe('a room', () => {
  const script = (path: string): unknown => {
    if (path.includes('/members')) return { items: [member] };
    if (path.includes('/messages')) return { items: [{ message_id: 'm' }] };
    return { ...room, seq: 41 };
  };

  test('reads no message until somebody asks for them, then the newest', async () => {
    const caller = new ScriptedCaller(script);
    const detail = new rooms.RoomDetail(caller, 'r1');
    await detail.load();
    expect([
      detail.messages.value,
      caller.calls.some(({ path }) => path.includes('messages')),
    ]).toEqual([null, false]);
    await detail.peek();
    expect(caller.calls.at(-1)!.path).toBe('/v1/rooms/r1/messages?before=42&limit=50');
    expect(detail.messages.value).toHaveLength(1);
  });

  test('that is not there says so', async () => {
    const detail = new rooms.RoomDetail(
      new ScriptedCaller(() => {
        throw new Refused('not_found', 404);
      }),
      'r1',
    );
    await detail.load();
    expect(detail.trouble.value?.title).toBe('Not found.');
  });

  test('shows the text of a message, or its body as it is', () => {
    expect(rooms.bodyText({ text: '<b>hi</b>' })).toBe('<b>hi</b>');
    expect(rooms.bodyText({ poll: [1, 2] })).toBe('poll 1, 2');
    expect(rooms.bodyText(null)).toBe('—');
  });
});

describe('the configuration', () => {
  const value = (name: string, source: string, meaning = '') => ({
    name,
    source,
    meaning,
    value: 'x',
  });
  const config = {
    node: 'n1',
    items: [value('A_DEFAULT', 'default'), value('B_SET', 'environment', 'the rate')],
    nodes: [
      { id: 'node-0002', name: 'b', differs: [{ name: 'B_SET', value: '2', here: null }] },
      { id: 'node-0003', name: 'c', differs: null },
    ],
  };

  test('puts first what somebody set, finds by meaning, and names nodes that differ', async () => {
    const change = { at: 't', detail: { name: 'B_SET', from: '1', to: 'set' } };
    const model = new EffectiveConfig(
      new ScriptedCaller((path) =>
        path.startsWith('/v1/admin/config') ? config : { items: [change] },
      ),
    );
    await model.load();
    expect(model.shown.value.map(({ name }) => name)).toEqual(['B_SET', 'A_DEFAULT']);
    model.typed.value = 'RATE';
    expect(model.shown.value.map(({ name }) => name)).toEqual(['B_SET']);
    expect(model.differences.value).toEqual([
      { node: 'b …0002', name: 'B_SET', there: '2', here: '—' },
    ]);
    expect(model.changes.value).toEqual([{ at: 't', name: 'B_SET', from: '1', to: 'set' }]);
    expect(differencesOf(null)).toEqual([]);
  });
});
