/**
 * Limits of a connection and of a user: frames, publishes, signals, subscribes, calls. Each refusal
 * says when to come again and harms nobody else.
 */
import { setTimeout as waitMs } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call, nodeA, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectAnswer, expectClosed, expectError, live } from './harness.js';
import { RawSocket, jsonBytes } from './raw-socket.js';

const [FRAME_RATE, PUBLISH_RATE, MAX_SUBSCRIPTIONS] = [4, 1, 2];
let node: NodeProcess;
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  node = await startNode({
    FRAME_RATE: String(FRAME_RATE),
    PUBLISH_RATE: String(PUBLISH_RATE),
    MAX_SUBSCRIPTIONS: String(MAX_SUBSCRIPTIONS),
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
});

describe('FRAME_RATE', () => {
  test('lets a burst of three seconds through; the next frame is rate_limited with a time that is true', async () => {
    const client = await live(node.wsUrl, ada.token);
    for (let i = 0; i < FRAME_RATE * 3; i += 1)
      expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    let refused = await client.ask({ type: 'ping' });
    while (refused.type === 'pong') refused = await client.ask({ type: 'ping' });
    expectError(refused, 'rate_limited');
    expect(refused.retry_after_ms).toBeLessThanOrEqual(1000 / FRAME_RATE);
    await waitMs(refused.retry_after_ms);
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  test('is per connection', async () => {
    const [flooding, calm] = [await live(node.wsUrl, ada.token), await live(node.wsUrl, ada.token)];
    for (let i = 0; i < FRAME_RATE * 4; i += 1) flooding.send({ type: 'ping' });
    await flooding.next('error');
    await calm.settled();
  });

  test('a client that goes on all the same is closed with 1013 rate_limited', async () => {
    const client = await live(node.wsUrl, ada.token);
    for (let i = 0; i < 700; i += 1) client.send({ type: 'ping' });
    expect((await expectClosed(client, 'rate_limited')).retry_after_ms).toBeGreaterThan(0);
  });

  test('a flood that outruns its own answers is closed with 1013 rate_limited at once', async () => {
    const token = (await (await World.create()).user('ben')).token;
    const peer = RawSocket.open(nodeA(), { headers: { Authorization: `Bearer ${token}` } });
    await peer.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
    peer.socket.write(jsonBytes(...Array.from({ length: 2_000 }, () => ({ type: 'ping' }))));
    expect(await peer.untilClosed()).toMatchObject({
      code: 1013,
      reason: { code: 'rate_limited', action: 'retry' },
    });
    peer.socket.destroy();
  });
});

describe('PUBLISH_RATE', () => {
  test('lets a burst of three seconds through; the next publish is rate_limited, has no effect, and works later under its op_id', async () => {
    const room = await world.room(ada);
    const client = await live(node.wsUrl, ada.token);
    for (let i = 1; i <= PUBLISH_RATE * 3; i += 1)
      expect(await client.publish(room, i)).toMatchObject({ type: 'ack', seq: i });
    const refused = await client.publish(room, 'again', 'op-again');
    expectError(refused, 'rate_limited');
    expect(refused.retry_after_ms).toBeLessThanOrEqual(1000 / PUBLISH_RATE);
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await waitMs(refused.retry_after_ms);
    expect(await client.publish(room, 'again', 'op-again')).toMatchObject({
      type: 'ack',
      seq: PUBLISH_RATE * 3 + 1,
      duplicate: false,
    });
  });
});

describe('MAX_SUBSCRIPTIONS', () => {
  test('one more is too_many_subscriptions; one of the old ones again is not, and leaving one makes room', async () => {
    const rooms = [await world.room(ada), await world.room(ada), await world.room(ada)] as [
      string,
      string,
      string,
    ];
    const client = await live(node.wsUrl, ada.token);
    for (const room of rooms.slice(0, MAX_SUBSCRIPTIONS))
      expect(await client.subscribe(room)).toMatchObject({ type: 'subscribed' });
    expectError(await client.subscribe(rooms[2]), 'too_many_subscriptions');
    expect(await client.subscribe(rooms[0])).toMatchObject({ type: 'subscribed' });
    await client.ask({ type: 'unsubscribe', room: rooms[0] });
    expect(await client.subscribe(rooms[2])).toMatchObject({ type: 'subscribed' });
  });
});

describe('rates belong to a user, on all nodes, over sockets and REST together:', () => {
  const BURST = 60;
  const RATE = 20;
  const BIG = 'x'.repeat(32_000);
  let nodes: NodeProcess[];
  let own: World;
  beforeAll(async () => {
    ({ nodes } = await startCluster(2, { FRAME_RATE: '0' }));
    own = await World.create({ base: nodes[0]!.url });
  });

  /** How many were accepted, and the most that may have been since `beganMs` by `holders` nodes. */
  const accepted = (answers: { type: string }[]) =>
    answers.filter(({ type }) => type === 'ack').length;
  const most = (beganMs: number, holders = 1) =>
    BURST * holders + Math.ceil(((performance.now() - beganMs) / 1000 + 1) * RATE);
  const refusedRight = (answers: { type: string }[]) =>
    answers
      .filter(({ type }) => type === 'error')
      .forEach((answer) => expectError(answer, 'rate_limited'));
  const post = (base: string, token: string, room: string, i: number) =>
    fetch(`${base}/v1/rooms/${room}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ body: i }),
    });

  test('400 REST publishes at once', async () => {
    const user = await own.user('rest');
    const room = await own.room(user);
    const beganMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) => post(nodes[0]!.url, user.token, room, i)),
    );
    const statuses = answers.map(({ status }) => status);
    const stored = statuses.filter((status) => status === 201).length;
    expect(stored).toBeGreaterThanOrEqual(BURST);
    expect(stored).toBeLessThanOrEqual(most(beganMs));
    const refused = answers.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: 'rate_limited',
      action: 'retry',
      retry_after_ms: expect.any(Number),
    });
  });

  test('290 signals of 32 KB on one socket', async () => {
    const user = await own.user('signals');
    const room = await own.room(user);
    const client = await live(nodes[0]!.wsUrl, user.token);
    const beganMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 290 }, () => client.ask({ type: 'signal', room, kind: 'k', body: BIG })),
    );
    expect(accepted(answers)).toBeGreaterThanOrEqual(BURST);
    expect(accepted(answers)).toBeLessThanOrEqual(most(beganMs));
    refusedRight(answers);
    expect((await client.publish(room, 'durable work is another count')).type).toBe('ack');
  });

  test('200 edits of 32 KB', async () => {
    const user = await own.user('edits');
    const room = await own.room(user);
    const client = await live(nodes[0]!.wsUrl, user.token);
    const messages = (
      await Promise.all(Array.from({ length: 10 }, () => client.publish(room, 'first')))
    ).map(({ message_id }) => message_id as string);
    const beganMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        client.ask({ type: 'edit', room, message_id: messages[i % 10], body: BIG, op_id: `e${i}` }),
      ),
    );
    expect(accepted(answers)).toBeGreaterThanOrEqual(BURST - 10);
    expect(accepted(answers)).toBeLessThanOrEqual(most(beganMs));
    refusedRight(answers);
  });

  test('5 sockets x 60 publishes, and 60 over REST', async () => {
    const user = await own.user('sockets');
    const room = await own.room(user);
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => live(nodes[0]!.wsUrl, user.token)),
    );
    const beganMs = performance.now();
    const calls = Promise.all(
      Array.from({ length: 60 }, (_, i) => post(nodes[0]!.url, user.token, room, i)),
    );
    const answers = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 60 }, (_, i) => client.publish(room, i))),
    );
    const stored = accepted(answers) + (await calls).filter(({ status }) => status === 201).length;
    expect(stored).toBeGreaterThanOrEqual(BURST);
    expect(stored).toBeLessThanOrEqual(most(beganMs));
    refusedRight(answers);
  });

  test('two nodes know of each other within a second: six seconds of trying on both give one rate', async () => {
    const user = await own.user('nodes');
    const room = await own.room(user);
    const clients = await Promise.all(nodes.map(({ wsUrl }) => live(wsUrl, user.token)));
    const beganMs = performance.now();
    let stored = 0;
    while (performance.now() - beganMs < 6_000) {
      const answers = await Promise.all(clients.map((client) => client.publish(room, 'again')));
      stored += accepted(answers);
      const refused: any = answers.find(({ type }) => type === 'error');
      if (refused !== undefined) await waitMs(Math.min(100, refused.retry_after_ms));
    }
    expect(stored).toBeLessThanOrEqual(most(beganMs, 2));
    expect(stored).toBeGreaterThan(BURST);
  });

  test('60 subscribes at once; another user does not notice', async () => {
    const [user, calm] = (await own.users('subscribes', 'calm')) as [SignedIn, SignedIn];
    const room = await own.room(user);
    const [client, other] = [
      await live(nodes[0]!.wsUrl, user.token),
      await live(nodes[0]!.wsUrl, calm.token),
    ];
    const answers = await Promise.all(Array.from({ length: 60 }, () => client.subscribe(room)));
    const refused = answers.filter(({ type }) => type === 'error');
    expect(refused.length).toBeGreaterThan(0);
    refusedRight(answers);
    expect((await other.subscribe(await own.room(calm))).type).toBe('subscribed');
  });
});

describe('a kind that says the server speaks', () => {
  test.each(['system', 'system.notice'])(
    '%s is refused to people, over sockets and REST',
    async (kind) => {
      const own = await World.create();
      const user = await own.user('u');
      const room = await own.room(user);
      const client = await live(wsUrl(nodeA()), user.token);
      expectError(
        await client.ask({ type: 'publish', room, op_id: 'o', kind, body: 1 }),
        'kind_refused',
      );
      expectError(await client.ask({ type: 'signal', room, kind, body: 1 }), 'kind_refused');
      expectAnswer(
        await call(nodeA(), `/v1/rooms/${room}/messages`, {
          token: user.token,
          body: { kind, body: 1 },
          expect: 403,
        }),
        'kind_refused',
      );
      expect(
        await client.ask({ type: 'publish', room, op_id: 'p', kind: 'systematic', body: 1 }),
      ).toMatchObject({ type: 'ack', seq: 1 });
    },
  );
});
