/**
 * Additions of rights are announced without a number, so they may overtake the log or come long
 * after it. Found by docs/model/authority.pml (BUG_GROWN, BUG_LATE); here against the real cache
 * and the real sets.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { AuthorityDispatcher } from '../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../src/authority/authority-state.js';
import type { AuthorityEvent } from '../../src/authority/events.js';
import { newId } from '../../src/platform/ids.js';
import { MembershipCache } from '../../src/policy/membership-cache.js';
import { at } from '../support/positions.js';

const [tenant, room, xavier, yara] = [newId(), newId(), newId(), newId()];

/** Postgres, as the one statement of the cache sees it. */
interface Truth {
  epoch: number;
  role: string | null;
  userRole: string;
  userVersion: number;
}

const rowOf = (truth: Truth) => ({
  i: '1',
  id: room,
  slug: null,
  visibility: 'private',
  posting: 'members',
  open: true,
  epoch: String(truth.epoch),
  room_version: 1,
  role: truth.role,
  muted_until: null,
  banned: false,
  member_version: 1,
  user_role: truth.userRole,
  user_state: 'active',
  user_version: truth.userVersion,
});

const memberChanged = (user: string, role: 'member' | null, epoch: number): AuthorityEvent => ({
  kind: 'member.changed',
  room,
  user,
  role,
  muted_until: null,
  banned: false,
  version: 2,
  epoch,
});

describe('news out of order', () => {
  let state: AuthorityState;
  let truth: Truth;
  /** Answers of loads that have read and not arrived yet. */
  let underWay: (() => void)[];
  let slow: boolean;
  let cache: MembershipCache;

  beforeEach(() => {
    const dispatcher = new AuthorityDispatcher();
    state = new AuthorityState(dispatcher);
    truth = { epoch: 0, role: 'member', userRole: 'member', userVersion: 1 };
    underWay = [];
    slow = false;
    const hot = async () => {
      const rows = [rowOf(truth)];
      if (slow) await new Promise<void>((resolve) => underWay.push(resolve));
      return rows;
    };
    cache = new MembershipCache({ hot } as never, dispatcher);
  });

  test('an addition that overtakes a removal does not make the removed member a member of the new epoch', async () => {
    await cache.load(tenant, room, xavier);
    // Xavier is removed (epoch 1, its announcement is lost); then Yara is added, which is announced
    // under epoch 1.
    state.apply(memberChanged(yara, 'member', 1), null);
    const facts = cache.peek(tenant, room, xavier);
    expect([facts?.room?.epoch, facts?.member.role]).not.toEqual([1, 'member']);
    state.apply(memberChanged(xavier, null, 1), at(1));
    expect(cache.peek(tenant, room, xavier)).toBeUndefined();
  });

  test('a late addition does not hide from a load that a role was taken', async () => {
    truth.userRole = 'admin';
    truth.userVersion = 2;
    slow = true;
    const load = cache.load(tenant, room, xavier);
    await new Promise((resolve) => setImmediate(resolve));
    // While it is under way: demoted to version 3, then the announcement of version 2 arrives.
    Object.assign(truth, { userRole: 'member', userVersion: 3 });
    slow = false;
    state.apply(
      { kind: 'user.changed', user: xavier, state: 'active', role: 'member', version: 3 },
      at(1),
    );
    state.apply(
      { kind: 'user.changed', user: xavier, state: 'active', role: 'admin', version: 2 },
      null,
    );
    for (const arrive of underWay) arrive();
    expect((await load).user).toMatchObject({ role: 'member', version: 3 });
    expect(cache.peek(tenant, room, xavier)?.user.role).toBe('member');
  });

  test('a late word about a tenant does not lift its disablement', () => {
    const credential = { session: newId(), tenant, kid: 'k' };
    state.apply(
      { kind: 'tenant.changed', tenant, state: 'disabled', allow_guests: true, version: 3 },
      at(1),
    );
    // "Guests are allowed" was committed as version 2, before; its announcement was held up.
    state.apply(
      { kind: 'tenant.changed', tenant, state: 'active', allow_guests: true, version: 2 },
      null,
    );
    expect(state.verdict(credential)).toBe('tenant_disabled');
    state.apply(
      { kind: 'tenant.changed', tenant, state: 'active', allow_guests: true, version: 4 },
      at(2),
    );
    expect(state.verdict(credential)).toBeNull();
  });
});
