import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shrinksRights } from '../../../src/rooms/change-room.js';
import { shrinksStanding } from '../../../src/rooms/members/membership.js';
import type { MembershipState } from '../../../src/rooms/members/membership.js';
import { decideRoom } from '../../../src/policy/decide-room.js';
import type { RoomAction } from '../../../src/policy/decide-room.js';
import type { Facts, RoomFacts } from '../../../src/policy/facts.js';

const NOW = Date.parse('2026-11-22T00:00:00Z');
const standing: fc.Arbitrary<MembershipState> = fc.record({
  role: fc.constantFrom(
    'owner' as const,
    'moderator' as const,
    'member' as const,
    'viewer' as const,
    null,
  ),
  muted_until: fc.constantFrom(null, new Date(NOW + 1_000), new Date(NOW + 60_000)),
  banned: fc.boolean(),
});
const settings = fc.record({
  name: fc.constantFrom('a', 'b'),
  slug: fc.constantFrom(null, 'a', 'b'),
  visibility: fc.constantFrom('public' as const, 'private' as const),
  posting: fc.constantFrom('members' as const, 'moderators' as const),
  archived: fc.boolean(),
  topic: fc.constant(null),
  description: fc.constant(null),
  kinds: fc.constant({}),
});
const ACTIONS: RoomAction[] = [
  'read',
  'publish',
  'delete',
  'join',
  'leave',
  'add_member',
  'moderate_member',
  'change_role',
  'manage_room',
];

function allowed(
  { role, muted_until, banned }: MembershipState,
  { visibility, posting, archived }: Pick<RoomFacts, 'visibility' | 'posting' | 'archived'>,
): RoomAction[] {
  const facts: Facts = {
    room: {
      id: 'r',
      tenantId: 't',
      slug: null,
      visibility,
      posting,
      open: true,
      archived,
      kinds: {},
      epoch: 0,
      version: 1,
    },
    member: { role, mutedUntilMs: muted_until?.getTime() ?? null, banned, version: 1 },
    user: { role: 'member', active: true, version: 1 },
  };
  return ACTIONS.filter((action) => decideRoom('me', facts, action, {}, NOW).allow);
}

describe('a change that does not count as shrinking takes nothing', () => {
  test('of a member, in any room', () => {
    fc.assert(
      fc.property(standing, standing, settings, (before, after, room) => {
        if (shrinksStanding(before, after)) return;
        // Joining is what a member need not do any more.
        const lost = allowed(before, room).filter(
          (action) => action !== 'join' && !allowed(after, room).includes(action),
        );
        expect(lost).toEqual([]);
      }),
    );
  });

  test('of anybody, by new settings of the room', () => {
    fc.assert(
      fc.property(settings, settings, standing, (before, after, who) => {
        if (shrinksRights(before, after)) return;
        expect(
          allowed(who, before).filter((action) => !allowed(who, after).includes(action)),
        ).toEqual([]);
      }),
    );
  });

  test('but a slug that is given up does', () => {
    const room = {
      name: 'a',
      visibility: 'public',
      posting: 'members',
      topic: null,
      description: null,
      archived: false,
      kinds: {},
    } as const;
    expect(shrinksRights({ ...room, slug: 'a' }, { ...room, slug: 'b' })).toBe(true);
    expect(shrinksRights({ ...room, slug: 'a' }, { ...room, slug: null })).toBe(true);
    expect(shrinksRights({ ...room, slug: null }, { ...room, slug: 'a' })).toBe(false);
  });
});
