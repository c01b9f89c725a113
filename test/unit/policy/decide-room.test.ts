/** The rights table of the contract (section 2), cell by cell. */
import { describe, expect, test } from '@jest/globals';
import type { Role } from '@wardroom/protocol';
import { decideCreate, decideRoom, rightsIn } from '../../../src/policy/decide-room.js';
import type { ActionTarget, RoomAction } from '../../../src/policy/decide-room.js';
import { GUEST, NOT_A_MEMBER } from '../../../src/policy/facts.js';
import type { Facts, MemberFacts, RoomFacts, UserFacts } from '../../../src/policy/facts.js';

const NOW = 1_000_000;
const member = (role: Role | null, more: Partial<MemberFacts> = {}): MemberFacts => ({
  role,
  mutedUntilMs: null,
  banned: false,
  version: 1,
  ...more,
});
const user = (role: UserFacts['role'], active = true): UserFacts => ({ role, active, version: 1 });
const room = (more: Partial<RoomFacts> = {}): RoomFacts => ({
  id: 'room',
  tenantId: 'tenant',
  slug: null,
  visibility: 'public',
  posting: 'members',
  open: true,
  archived: false,
  kinds: {},
  epoch: 0,
  version: 1,
  ...more,
});

type Who = Omit<Facts, 'room'>;
const WHO = {
  owner: { user: user('member'), member: member('owner') },
  moderator: { user: user('member'), member: member('moderator') },
  member: { user: user('member'), member: member('member') },
  viewer: { user: user('member'), member: member('viewer') },
  stranger: { user: user('member'), member: NOT_A_MEMBER },
  guest: { user: GUEST, member: NOT_A_MEMBER },
  admin: { user: user('admin'), member: NOT_A_MEMBER },
  operator: { user: user('operator'), member: NOT_A_MEMBER },
  muted: { user: user('member'), member: member('member', { mutedUntilMs: NOW + 1 }) },
  banned: { user: user('member'), member: member('member', { banned: true }) },
} satisfies Record<string, Who>;
const COLUMNS = Object.keys(WHO) as (keyof typeof WHO)[];

const ASKED = {
  read: ['read'],
  presence: ['presence'],
  'mark read': ['mark_read'],
  publish: ['publish'],
  signal: ['signal'],
  typing: ['typing'],
  react: ['react'],
  'edit own': ['edit', { author: 'me' }],
  'edit any': ['edit', { author: 'another' }],
  'delete own': ['delete', { author: 'me' }],
  'delete any': ['delete', { author: 'another' }],
  join: ['join'],
  leave: ['leave'],
  'add a member': ['add_member', { newRole: 'member' }],
  'add a moderator': ['add_member', { newRole: 'moderator' }],
  'add an owner': ['add_member', { newRole: 'owner' }],
  'moderate a viewer': ['moderate_member', { member: member('viewer') }],
  'moderate a member': ['moderate_member', { member: member('member') }],
  'moderate a stranger': ['moderate_member', { member: NOT_A_MEMBER }],
  'moderate a moderator': ['moderate_member', { member: member('moderator') }],
  'moderate an owner': ['moderate_member', { member: member('owner') }],
  'change a role': ['change_role'],
  'manage the room': ['manage_room'],
} satisfies Record<string, [RoomAction, ActionTarget?]>;
type SignInSubject = keyof typeof ASKED;

/** A cell in short: `+` allowed, the others a code. */
const CODES: Record<string, string> = {
  '+': 'allowed',
  '404': 'not_found',
  ro: 'read_only',
  role: 'role_required',
  nam: 'not_a_member',
  guest: 'guest_read_only',
  mute: 'muted',
};

//                          owner moderator member viewer stranger guest admin operator muted banned
const PUBLIC: Record<SignInSubject, string> = {
  read: '                    +     +         +      +      +        +     +     404      +     404',
  presence: '                +     +         +      +      +        +     +     404      +     404',
  'mark read': '             +     +         +      +      nam      guest +     404      +     404',
  publish: '                 +     +         +      ro     nam      guest +     404      mute  404',
  signal: '                  +     +         +      ro     nam      guest +     404      mute  404',
  typing: '                  +     +         +      ro     nam      guest +     404      mute  404',
  react: '                   +     +         +      ro     nam      guest +     404      mute  404',
  'edit own': '              +     +         +      ro     nam      guest +     404      mute  404',
  'edit any': '              role  role      role   ro     nam      guest role  404      mute  404',
  'delete own': '            +     +         +      +      nam      guest +     404      +     404',
  'delete any': '            +     +         role   role   nam      guest +     404      role  404',
  join: '                    +     +         +      +      +        guest +     404      +     404',
  leave: '                   +     +         +      +      nam      guest +     404      +     404',
  'add a member': '          +     +         role   role   nam      guest +     404      role  404',
  'add a moderator': '       +     role      role   role   nam      guest +     404      role  404',
  'add an owner': '          +     role      role   role   nam      guest +     404      role  404',
  'moderate a viewer': '     +     +         role   role   nam      guest +     404      role  404',
  'moderate a member': '     +     +         role   role   nam      guest +     404      role  404',
  'moderate a stranger': '   +     +         role   role   nam      guest +     404      role  404',
  'moderate a moderator': '  +     role      role   role   nam      guest +     404      role  404',
  'moderate an owner': '     +     role      role   role   nam      guest +     404      role  404',
  'change a role': '         +     role      role   role   nam      guest +     404      role  404',
  'manage the room': '       +     role      role   role   nam      guest +     404      role  404',
};

const ask = (who: Who, asked: SignInSubject, facts: RoomFacts | null, nowMs = NOW): string => {
  const [action, target] = ASKED[asked] as [RoomAction, ActionTarget?];
  const decision = decideRoom('me', { ...who, room: facts }, action, target, nowMs);
  return decision.allow ? 'allowed' : decision.code;
};
const row = (asked: SignInSubject, facts: RoomFacts): Record<string, string> =>
  Object.fromEntries(COLUMNS.map((name) => [name, ask(WHO[name], asked, facts)]));
const cells = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split(/\s+/)
      .map((cell, i) => [COLUMNS[i]!, CODES[cell]!]),
  );
const ALL = Object.keys(ASKED) as SignInSubject[];
/** A user who is no member cannot even know of the room. */
const hidden = (text: string) => ({ ...cells(text), stranger: 'not_found', guest: 'not_found' });

describe('the rights table', () => {
  test.each(ALL)('of a public room: %s', (asked) =>
    expect(row(asked, room())).toEqual(cells(PUBLIC[asked])),
  );

  test.each(ALL)('of a private room: %s', (asked) =>
    expect(row(asked, room({ visibility: 'private' }))).toEqual(hidden(PUBLIC[asked])),
  );

  test.each(ALL)('where moderators post: %s', (asked) => {
    const posts = ['publish', 'signal', 'typing', 'react', 'edit own', 'edit any'].includes(asked);
    expect(row(asked, room({ posting: 'moderators' }))).toEqual({
      ...cells(PUBLIC[asked]),
      ...(posts ? { member: 'read_only' } : {}),
    });
  });

  test.each(ALL)('of a direct room: %s', (asked) => {
    const direct = room({ visibility: 'direct' });
    for (const outsider of ['stranger', 'guest', 'admin', 'operator'] as const)
      expect(ask(WHO[outsider], asked, direct)).toBe('not_found');
    const fixed = /^(add|moderate|change|manage)/.test(asked);
    if (asked !== 'leave')
      expect(ask(WHO.member, asked, direct)).toBe(
        fixed ? 'role_required' : cells(PUBLIC[asked])['member'],
      );
  });

  test.each(ALL)('of a room that is closed or is not there: %s', (asked) => {
    for (const name of COLUMNS) {
      expect(ask(WHO[name], asked, room({ open: false }))).toBe('not_found');
      expect(ask(WHO[name], asked, null)).toBe('not_found');
    }
  });

  test.each(ALL)('of a suspended user: %s', (asked) => {
    for (const role of ['member', 'admin', 'operator'] as const)
      expect(ask({ user: user(role, false), member: member('owner') }, asked, room())).toBe(
        'not_found',
      );
  });
});

describe('particular cases', () => {
  test('an admin who is a member of a direct room has the rights of that member only', () => {
    const who = { user: user('admin'), member: member('member') };
    const direct = room({ visibility: 'direct' });
    expect(ask(who, 'publish', direct)).toBe('allowed');
    expect(ask(who, 'delete any', direct)).toBe('role_required');
    expect(ask(who, 'manage the room', direct)).toBe('role_required');
  });

  test('an admin counts as owner whatever the own membership says, unless banned', () => {
    expect(
      ask(
        { user: user('admin'), member: member('viewer') },
        'manage the room',
        room({ visibility: 'private' }),
      ),
    ).toBe('allowed');
    expect(
      ask({ user: user('admin'), member: member('owner', { banned: true }) }, 'read', room()),
    ).toBe('not_found');
  });

  test('an admin joins a private room without an invitation', () => {
    expect(ask(WHO.admin, 'join', room({ visibility: 'private' }))).toBe('allowed');
  });

  test('a mute ends by itself', () => {
    const who = { user: user('member'), member: member('member', { mutedUntilMs: NOW }) };
    expect(ask(who, 'publish', room(), NOW - 1)).toBe('muted');
    expect(ask(who, 'publish', room(), NOW)).toBe('allowed');
  });

  test('every refusal names its rule, and rules are unique to their code', () => {
    const codeOf = new Map<string, string>();
    for (const asked of ALL) {
      for (const facts of [
        room(),
        room({ visibility: 'private' }),
        room({ visibility: 'direct' }),
        room({ posting: 'moderators' }),
        null,
      ]) {
        for (const name of COLUMNS) {
          const [action, target] = ASKED[asked] as [RoomAction, ActionTarget?];
          const decision = decideRoom('me', { ...WHO[name], room: facts }, action, target, NOW);
          expect(decision.rule).toMatch(/^[a-z]+\.\d+_[a-z_]+$/);
          if (!decision.allow)
            expect(codeOf.get(decision.rule) ?? decision.code).toBe(decision.code);
          if (!decision.allow) codeOf.set(decision.rule, decision.code);
        }
      }
    }
    expect(codeOf.size).toBeGreaterThan(10);
  });
});

describe('rightsIn', () => {
  const rights = (name: keyof typeof WHO, facts = room()) =>
    rightsIn({ ...WHO[name], room: facts });
  const writes = ['publish', 'signal', 'typing', 'react', 'edit_own'];

  test('is what the ladders allow', () => {
    expect(rights('owner')).toEqual([
      'read',
      'presence',
      ...writes,
      'delete_own',
      'delete_any',
      'manage_members',
      'manage_room',
    ]);
    expect(rights('admin')).toEqual(rights('owner'));
    expect(rights('moderator')).toEqual([
      'read',
      'presence',
      ...writes,
      'delete_own',
      'delete_any',
      'manage_members',
    ]);
    expect(rights('member')).toEqual(['read', 'presence', ...writes, 'delete_own']);
    expect(rights('member', room({ posting: 'moderators' }))).toEqual([
      'read',
      'presence',
      'delete_own',
    ]);
    expect(rights('viewer')).toEqual(['read', 'presence', 'delete_own']);
    expect(rights('guest')).toEqual(['read', 'presence']);
    for (const nobody of ['operator', 'banned'] as const) expect(rights(nobody)).toEqual([]);
  });
});

test.each([
  ['guest', 'guest_read_only'],
  ['operator', 'role_required'],
  ['member', 'allowed'],
  ['admin', 'allowed'],
] as const)('a new room, asked for by a %s: %s', (role, expected) => {
  const decision = decideCreate({ role });
  expect(decision.allow ? 'allowed' : decision.code).toBe(expected);
});

describe('an invitation by link', () => {
  //              owner moderator member viewer stranger guest admin operator muted banned
  const ACCEPT = '+     +         +      +      +        guest +     404      +     404';
  const accept = (facts: RoomFacts | null) =>
    Object.fromEntries(
      COLUMNS.map((name) => {
        const decision = decideRoom('me', { ...WHO[name], room: facts }, 'accept_invite');
        return [name, decision.allow ? 'allowed' : decision.code];
      }),
    );

  test.each(['public', 'private'] as const)('lets users of the tenant in: %s', (visibility) => {
    expect(accept(room({ visibility }))).toEqual(cells(ACCEPT));
  });

  test.each([
    ['a direct room', room({ visibility: 'direct' })],
    ['a closed room', room({ open: false })],
    ['no room', null],
  ])('opens no other: %s', (_, facts) => {
    const { guest: _guest, ...users } = accept(facts);
    expect(new Set(Object.values(users))).toEqual(new Set(['not_found']));
  });

  test('opens nothing to a suspended user', () => {
    const who = { user: user('member', false), member: NOT_A_MEMBER };
    expect(decideRoom('me', { ...who, room: room() }, 'accept_invite')).toMatchObject({
      allow: false,
      code: 'not_found',
    });
  });
});
