/**
 * Answers of Postgres and frames in Redis that were on their way when a session ended. They arrive
 * after the receipt, and nobody receives them.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { FaultCluster } from './cluster.js';
import type { FaultNode } from './cluster.js';
import { REDIS } from './stores.js';

const withRedis = describeWith(REDIS, 'answers and frames that come late');

withRedis('late answers', () => {
  let cluster: FaultCluster;
  let a: FaultNode;
  let b: FaultNode;
  let world: World;
  let ada: SignedIn;

  beforeAll(async () => {
    cluster = await FaultCluster.start({ nodes: 2, leaseMs: 1_000 });
    [a, b] = cluster.nodes as [FaultNode, FaultNode];
    world = await World.create({ base: a.url });
    ada = await world.user('ada');
  }, 60_000);

  afterAll(() => cluster?.stop(), 60_000);

  afterEach(async () => {
    join(b);
    await cluster.ready();
  });

  /**
   * Hears nothing of the stores any more, neither by the log nor by the stream; what it asks still
   * gets through.
   */
  const cutOff = (node: FaultNode) =>
    [node.postgres, node.redis].forEach((proxy) => proxy.blackHole({ direction: 'down' }));
  const join = (node: FaultNode) => [node.postgres, node.redis].forEach((proxy) => proxy.heal());

  const end = async (user: SignedIn) => {
    const { body } = await call(a.url, '/v1/auth/logout', { method: 'POST', token: user.token });
    expect(body).toMatchObject({ effective: true });
    return body;
  };

  test('an ack that Postgres gave before the session ended is not told after the receipt', async () => {
    const ben = await world.user('ben');
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [writer, witness] = [
      await RawClient.live(b.wsUrl, ben.token),
      await RawClient.live(a.wsUrl, ada.token),
    ];
    await witness.subscribe(room);
    await writer.publish(room, 'warm');
    cutOff(b);
    writer.send({ type: 'publish', id: 'late', op_id: 'late', room, body: 'late' });
    // Stored, though nobody on its node knows: the head check of the other node finds it.
    await witness.next((frame) => frame.type === 'message' && frame.body === 'late');
    const receipt = await end(ben);
    expect(receipt.nodes.map((node: { state: string }) => node.state).sort()).toEqual([
      'confirmed',
      'fenced',
    ]);
    const before = writer.frames.length;
    join(b);
    expect(await writer.closed).toMatchObject({ code: 1008, reason: { code: 'session_revoked' } });
    expect(
      writer.frames
        .slice(before)
        .filter((frame) => !['paused', 'resumed', 'goodbye', 'error'].includes(frame.type)),
    ).toEqual([]);
  });

  test('a signal that Redis held back is not heard after its sender has gone', async () => {
    const cleo = await world.user('cleo');
    const room = await world.room(ada, {}, [[cleo, 'member']]);
    const [sender, listener] = [
      await RawClient.live(a.wsUrl, cleo.token),
      await RawClient.live(b.wsUrl, ada.token),
    ];
    await listener.subscribe(room);
    b.redis.blackHole({ direction: 'down' });
    await sender.ask({ type: 'signal', room, kind: 'k', body: 'late' });
    await end(cleo);
    b.redis.heal();
    // The next one comes over the same channel, so the late one has come before it.
    const other = await RawClient.live(a.wsUrl, ada.token);
    await other.ask({ type: 'signal', room, kind: 'k', body: 'in time' });
    expect(await listener.next('signal')).toMatchObject({ body: 'in time' });
    expect(listener.of('signal').map((frame) => frame.body)).toEqual(['in time']);
  });

  test('a read marker that waited in Postgres past the lease tells nobody', async () => {
    const dora = await world.user('dora');
    const room = await world.room(ada, {}, [[dora, 'member']]);
    const [reader, neighbour] = [
      await RawClient.live(b.wsUrl, dora.token),
      await RawClient.live(b.wsUrl, ada.token),
    ];
    await neighbour.subscribe(room);
    await reader.subscribe(room);
    await neighbour.publish(room, 'one');
    await reader.next('message');
    cutOff(b);
    reader.send({ type: 'read', id: 'r', room, seq: 1 });
    await end(dora);
    join(b);
    await reader.closed;
    // Node b serves again, whether or not it had time to say that it did not.
    await neighbour.publish(room, 'two');
    await neighbour.settled();
    expect(neighbour.of('read')).toEqual([]);
    expect(reader.of('ack').filter((frame) => frame.id === 'r')).toEqual([]);
  });
});
