/** Limits of a connection: frames, publishes, subscriptions. Each refusal says when to come again and harms nobody else. */
import { setTimeout as waitMs } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, nodeA } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectClosed, expectError, live } from './harness.js';
import { RawSocket, jsonBytes } from './raw-socket.js';

const [FRAME_RATE, PUBLISH_RATE, MAX_SUBSCRIPTIONS] = [4, 1, 2];
let node: NodeProcess;
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  node = await startNode({ FRAME_RATE: String(FRAME_RATE), PUBLISH_RATE: String(PUBLISH_RATE), MAX_SUBSCRIPTIONS: String(MAX_SUBSCRIPTIONS) });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
});

describe('FRAME_RATE', () => {
  test('lets a burst of three seconds through; the next frame is rate_limited with a time that is true', async () => {
    const client = await live(node.wsUrl, ada.token);
    for (let i = 0; i < FRAME_RATE * 3; i += 1) expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
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

  test('whoever goes on all the same is closed with 1013 rate_limited', async () => {
    const client = await live(node.wsUrl, ada.token);
    for (let i = 0; i < 700; i += 1) client.send({ type: 'ping' });
    expect((await expectClosed(client, 'rate_limited')).retry_after_ms).toBeGreaterThan(0);
  });

  test('a flood that outruns its own answers is closed with 1013 rate_limited at once', async () => {
    const token = (await (await World.create()).user('ben')).token;
    const peer = RawSocket.open(nodeA(), { headers: { Authorization: `Bearer ${token}` } });
    await peer.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
    peer.socket.write(jsonBytes(...Array.from({ length: 2_000 }, () => ({ type: 'ping' }))));
    expect(await peer.untilClosed()).toMatchObject({ code: 1013, reason: { code: 'rate_limited', action: 'retry' } });
    peer.socket.destroy();
  });
});

describe('PUBLISH_RATE', () => {
  test('lets a burst of three seconds through; the next publish is rate_limited, has no effect, and works later under its op_id', async () => {
    const room = await world.room(ada);
    const client = await live(node.wsUrl, ada.token);
    for (let i = 1; i <= PUBLISH_RATE * 3; i += 1) expect(await client.publish(room, i)).toMatchObject({ type: 'ack', seq: i });
    const refused = await client.publish(room, 'again', 'op-again');
    expectError(refused, 'rate_limited');
    expect(refused.retry_after_ms).toBeLessThanOrEqual(1000 / PUBLISH_RATE);
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await waitMs(refused.retry_after_ms);
    expect(await client.publish(room, 'again', 'op-again')).toMatchObject({ type: 'ack', seq: PUBLISH_RATE * 3 + 1, duplicate: false });
  });
});

describe('MAX_SUBSCRIPTIONS', () => {
  test('one more is too_many_subscriptions; one of the old ones again is not, and leaving one makes room', async () => {
    const rooms = [await world.room(ada), await world.room(ada), await world.room(ada)] as [string, string, string];
    const client = await live(node.wsUrl, ada.token);
    for (const room of rooms.slice(0, MAX_SUBSCRIPTIONS)) expect(await client.subscribe(room)).toMatchObject({ type: 'subscribed' });
    expectError(await client.subscribe(rooms[2]), 'too_many_subscriptions');
    expect(await client.subscribe(rooms[0])).toMatchObject({ type: 'subscribed' });
    await client.ask({ type: 'unsubscribe', room: rooms[0] });
    expect(await client.subscribe(rooms[2])).toMatchObject({ type: 'subscribed' });
  });
});
