/**
 * A client that does not read is closed, alone; the missed events can be replayed, without being
 * closed for it again.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { live, within } from './harness.js';
import { RawSocket } from './raw-socket.js';

const BODY = 'x'.repeat(30_000);
/** More than kernels buffer for one connection, in messages. */
const MESSAGES_MAX = 800;
let node: NodeProcess;
let world: World;
let ada: SignedIn;
let room: string;

beforeAll(async () => {
  node = await startNode({
    MAX_QUEUE_BYTES: '262144',
    PUBLISH_RATE: '0',
    FRAME_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
  room = await world.room(ada);
});

const slowCloses = async (): Promise<number> =>
  Number(
    /^wardroom_connections_closed_total\{side="server",code="slow_consumer"\} (\d+)$/m.exec(
      await (await fetch(`${node.internalUrl}/metrics`)).text(),
    )?.[1] ?? 0,
  );

describe('slow_consumer', () => {
  let published = 0;

  test('ends a connection that stopped reading; the other subscriber gets every event in order', async () => {
    const stalled = RawSocket.open(node.url, { headers: { Authorization: `Bearer ${ada.token}` } });
    stalled.send({ type: 'subscribe', room });
    await stalled.until('subscribed', ({ frames }) =>
      frames.some(({ type }) => type === 'subscribed'),
    );
    stalled.socket.pause();
    const [reader, writer] = [await live(node.wsUrl, ada.token), await live(node.wsUrl, ada.token)];
    await reader.subscribe(room);
    while ((await slowCloses()) === 0 && published < MESSAGES_MAX) {
      await Promise.all(Array.from({ length: 20 }, () => writer.publish(room, BODY)));
      published += 20;
    }
    expect(await slowCloses()).toBe(1);
    await reader.next((frame) => frame.type === 'message' && frame.seq === published);
    expect(reader.of('message').map(({ seq }) => seq)).toEqual(
      Array.from({ length: published }, (_, i) => i + 1),
    );
    stalled.socket.resume();
    await within(stalled.ended, 'end of the stalled connection');
    const seen = stalled.frames.filter(({ type }) => type === 'message').map(({ seq }) => seq);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(seen.length).toBeLessThan(published);
  });

  test('does not hit who reads, however large a burst is: one turn of it is more than the queue', async () => {
    const burst = await world.room(ada);
    const [reader, writer] = [await live(node.wsUrl, ada.token), await live(node.wsUrl, ada.token)];
    await reader.subscribe(burst);
    await Promise.all(Array.from({ length: 60 }, () => writer.publish(burst, BODY)));
    await reader.next((frame) => frame.type === 'message' && frame.seq === 60);
    await reader.settled();
    expect(await slowCloses()).toBe(1);
  });

  test('does not hit a replay, however much larger than the queue it is', async () => {
    const client = await live(node.wsUrl, ada.token);
    expect(await client.subscribe(room, 0)).toMatchObject({
      seq: published,
      recovered: true,
      replayed: published,
    });
    await client.next((frame) => frame.type === 'message' && frame.seq === published);
    expect(client.of('message').map(({ seq }) => seq)).toEqual(
      Array.from({ length: published }, (_, i) => i + 1),
    );
    expect(await slowCloses()).toBe(1);
  });
});

describe('a replay', () => {
  test('of 1000 events is given in order, of 1001 is not: recovered:false, and the room goes on live', async () => {
    const long = await world.room(ada);
    const writer = await live(node.wsUrl, ada.token);
    for (let from = 1; from <= 1001; from += 143)
      await Promise.all(Array.from({ length: 143 }, (_, i) => writer.publish(long, from + i)));
    const client = await live(node.wsUrl, ada.token);
    expect(await client.subscribe(long, 0)).toMatchObject({
      seq: 1001,
      recovered: false,
      replayed: 0,
    });
    await writer.publish(long, 'live');
    expect(await client.next('message')).toMatchObject({ seq: 1002, body: 'live' });
    expect(await client.subscribe(long, 2)).toMatchObject({
      seq: 1002,
      recovered: true,
      replayed: 1000,
    });
    await client.next((frame) => frame.type === 'message' && frame.seq === 1002);
    expect(
      client
        .of('message')
        .slice(1)
        .map(({ seq }) => seq),
    ).toEqual(Array.from({ length: 1000 }, (_, i) => i + 3));
  });
});
