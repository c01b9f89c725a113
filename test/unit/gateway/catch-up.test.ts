/**
 * A catch-up that ends and one that begins: whatever the order of their steps, the subscription is
 * live in the end.
 */
import { describe, expect, test } from '@jest/globals';
import type { Connection } from '../../../src/gateway/connection/connection.js';
import { CatchUp } from '../../../src/gateway/delivery/catch-up.js';
import { Timeline } from '../../../src/gateway/live/timeline.js';
import { SubscriptionRights } from '../../../src/gateway/delivery/subscription-rights.js';
import type { Subscription } from '../../../src/gateway/delivery/room-channel.js';
import { DomainError } from '../../../src/platform/errors.js';

/** Microtasks between the last step of a replay and what its caller sees of it, and some more. */
const HOPS = Array.from({ length: 24 }, (_, i) => i);

/**
 * One subscription that lacks an event; `drain` ends the wait for the socket, `facts` are what the
 * policy remembers.
 */
function one() {
  let drain = (): void => undefined;
  const drained = new Promise<void>((resolve) => (drain = resolve));
  const policy = {
    epoch: 0 as number | null,
    removed: false,
    onSent: () => undefined as void,
    authorizeCached: () => (policy.epoch === null ? null : { room: { epoch: policy.epoch } }),
    authorizeFromDatabase: () =>
      policy.removed
        ? Promise.reject(new DomainError('not_found'))
        : ((policy.epoch = 0),
          Promise.resolve({ role: 'member', facts: { member: { role: 'member' } } })),
  };
  const channel = {
    id: 'r',
    lastSeq: 1,
    epoch: 0,
    roomEpoch: 'e',
    subscriptions: new Set(),
    tail: {
      covers: () => true,
      after: () => [{ seq: 1, frame: '{}' }],
      fill: () => Promise.resolve(),
    },
    goLive: (subscription: Subscription) => (subscription.live = true),
    hold: (subscription: Subscription) => (subscription.live = false),
  };
  const channels = {
    isCurrent: () => Promise.resolve(true),
    remove: (subscription: Subscription) => (subscription.ended = true),
  };
  const sent: { type: string }[] = [];
  const connection = {
    id: 'c',
    state: 'live',
    principal: {},
    heldBytes: 1e9,
    drained: () => drained.then(() => (connection.heldBytes = 0)),
    queue: () => policy.onSent(),
    dropQueued: () => undefined,
    timeline: new Timeline(),
    ageMs: 0,
    wake: () => undefined,
    send: (frame: { type: string }) => sent.push(frame),
  };
  const subscription = {
    connection,
    channel,
    deliveredSeq: 0,
    live: false,
    catchingUp: false,
    ended: false,
    roomEpoch: 'e',
    lost: null,
    lastFanOut: 0,
    index: -1,
  };
  const metrics = { replayReads: { inc: () => undefined } };
  const subscriptions = {
    of: () => new Map([['r', subscription]]),
    remove: () => (subscription.ended = true),
  };
  const catchUp = new CatchUp(
    channels as never,
    subscriptions as never,
    new SubscriptionRights(subscriptions as never, policy as never),
    policy as never,
    {} as never,
    { isFenced: () => false } as never,
    {} as never,
    metrics as never,
  );
  return {
    catchUp,
    connection,
    subscription,
    policy,
    channel,
    sent,
    drain,
    resume: () => catchUp.resumeAll(connection as unknown as Connection),
  };
}

const hops = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a connection that expired during its replay', () => {
  test.each(HOPS)(
    'is live in the room when it is accepted again %s steps after the replay went on',
    async (count) => {
      const { connection, subscription, drain, resume } = one();
      resume();
      await hops(3);
      connection.state = 'expired';
      drain();
      await hops(count);
      connection.state = 'live';
      resume();
      await turn();
      expect(subscription).toMatchObject({ live: true, catchingUp: false, deliveredSeq: 1 });
    },
  );
});

describe('a subscription that is held as its replay ends', () => {
  test.each(HOPS)(
    'is live again when it is resumed %s steps after the replay went on',
    async (count) => {
      const { subscription, channel, drain, resume } = one();
      resume();
      drain();
      await hops(count);
      channel.hold(subscription as unknown as Subscription);
      resume();
      await turn();
      expect(subscription).toMatchObject({ live: true, catchingUp: false });
    },
  );
});

describe('a node that forgets what it knew of the rights when the last event of a replay was sent', () => {
  test('reads them again before it serves the room', async () => {
    const { subscription, policy, drain, resume } = one();
    policy.onSent = () => (policy.epoch = null);
    resume();
    drain();
    await turn();
    expect([subscription.live, policy.epoch]).toEqual([true, 0]);
  });

  test('ends the subscription of a member who was removed meanwhile', async () => {
    const { subscription, policy, sent, drain, resume } = one();
    policy.onSent = () => {
      policy.epoch = null;
      policy.removed = true;
    };
    resume();
    drain();
    await turn();
    expect(subscription).toMatchObject({ live: false, ended: true });
    expect(sent).toMatchObject([{ type: 'unsubscribed', code: 'removed' }]);
  });
});
