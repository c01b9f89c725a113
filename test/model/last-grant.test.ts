/**
 * A connection remembers the last yes of the policy: whatever the log and loads bring, it is what
 * the facts say now.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AuthorityState } from '../../src/authority/authority-state.js';
import { newId } from '../../src/platform/ids.js';
import { MembershipCache } from '../../src/policy/membership-cache.js';
import { Policy } from '../../src/policy/policy.js';
import type { CachedPrincipal } from '../../src/policy/policy.js';
import { at } from '../support/positions.js';

const [tenant, user] = [newId(), newId()];
const ROOMS = [newId(), newId()];
const ACTIONS = ['signal', 'publish', 'read'] as const;

const news = fc.oneof(
  fc.record({
    kind: fc.constant('load' as const),
    room: fc.nat(1),
    role: fc.constantFrom('member', 'viewer', null),
  }),
  fc.record({
    kind: fc.constant('member' as const),
    room: fc.nat(1),
    role: fc.constantFrom('viewer' as const, null),
    numbered: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('user' as const) }),
  fc.record({ kind: fc.constant('room' as const), room: fc.nat(1) }),
  fc.record({ kind: fc.constant('reload' as const) }),
  fc.record({
    kind: fc.constant('ask' as const),
    room: fc.nat(1),
    action: fc.constantFrom(...ACTIONS),
  }),
);
type News = typeof news extends fc.Arbitrary<infer T> ? T : never;

class Machine {
  private readonly state = new AuthorityState();
  private readonly epochs = [0, 0];
  private version = 1;
  private n = 0;
  private role: string | null = 'member';
  private readonly policy: Policy;
  private readonly cache: MembershipCache;
  readonly asker: CachedPrincipal = {
    principal: { tenantId: tenant, userId: user, sessionId: newId(), tokenEndsAtMs: 0 },
    lastGrant: null,
  };

  constructor() {
    const hot = (_name: string, _text: string, [, ids]: [unknown, string[]]) =>
      Promise.resolve(ids.map((id) => this.row(id)));
    this.cache = new MembershipCache({ hot } as never, this.state);
    this.policy = new Policy(this.cache, {} as never);
  }

  private row(id: string) {
    const at = {
      epoch: String(this.epochs[ROOMS.indexOf(id)]),
      room_version: this.version,
      member_version: this.version,
      user_version: this.version,
    };
    const room = { id, slug: null, visibility: 'private', posting: 'members', open: true };
    return {
      i: '1',
      ...room,
      role: this.role,
      muted_until: null,
      banned: false,
      user_role: 'member',
      user_state: 'active',
      ...at,
    };
  }

  async hear(heard: News): Promise<void> {
    const version = (this.version += 1);
    if (heard.kind === 'load') {
      this.role = heard.role;
      await this.cache.load(tenant, ROOMS[heard.room]!, user);
    } else if (heard.kind === 'member') {
      const n = heard.numbered ? (this.n += 1) : null;
      const epoch = (this.epochs[heard.room]! += heard.numbered ? 1 : 0);
      this.role = heard.role;
      const about = {
        room: ROOMS[heard.room]!,
        user,
        role: heard.role,
        muted_until: null,
        banned: false,
        version,
        epoch,
      };
      this.state.apply({ kind: 'member.changed', ...about }, n === null ? null : at(n));
    } else if (heard.kind === 'user')
      this.state.apply(
        { kind: 'user.changed', user, state: 'active', role: 'member', version },
        at((this.n += 1)),
      );
    else if (heard.kind === 'room') {
      const epoch = (this.epochs[heard.room]! += 1);
      const about = {
        room: ROOMS[heard.room]!,
        state: 'open',
        visibility: 'private',
        posting: 'members',
        version,
        epoch,
      } as const;
      this.state.apply({ kind: 'room.changed', ...about }, at((this.n += 1)));
    } else if (heard.kind === 'reload')
      this.state.reload({
        at: at(this.n),
        historyAtMs: null,
        ended: [],
        disabledTenants: [],
        withdrawnKeys: [],
      });
    else this.compare(ROOMS[heard.room]!, heard.action);
  }

  /** Every question after every piece of news, the remembered one among them. */
  compareAll(): void {
    for (const room of ROOMS) for (const action of ACTIONS) this.compare(room, action);
  }

  private compare(room: string, action: (typeof ACTIONS)[number]): void {
    const { principal } = this.asker;
    const again = this.policy.authorizeAgain(this.asker, room, action);
    expect(again).toEqual(this.policy.authorizeCached(principal, room, action));
  }
}

describe('the last yes of a connection', () => {
  test('is never more, older or about something else than what the facts say now', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(news, { minLength: 5, maxLength: 40 }),
        fc.boolean(),
        async (script, all) => {
          const machine = new Machine();
          for (const heard of script) {
            await machine.hear(heard);
            if (all) machine.compareAll();
          }
          machine.compareAll();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is remembered: the second question asks no facts', async () => {
    const machine = new Machine();
    await machine.hear({ kind: 'load', room: 0, role: 'member' });
    await machine.hear({ kind: 'ask', room: 0, action: 'signal' });
    const grant = machine.asker.lastGrant;
    await machine.hear({ kind: 'ask', room: 0, action: 'signal' });
    expect(machine.asker.lastGrant).toBe(grant);
    expect(grant).not.toBeNull();
  });

  test('is not that of a reader, who asks once and would keep it for as long as he listens', async () => {
    const machine = new Machine();
    await machine.hear({ kind: 'load', room: 0, role: 'member' });
    await machine.hear({ kind: 'ask', room: 0, action: 'read' });
    expect(machine.asker.lastGrant).toBeNull();
  });
});
