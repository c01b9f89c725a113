/**
 * Many clients come back at once: Postgres is read for the room, not for each of them, and each
 * still receives only events that they may read now.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { expectError, live } from './harness.js';

const CROWD = 200;
let node: NodeProcess;
let other: NodeProcess;
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  ({
    nodes: [node, other],
  } = (await startCluster(2, {
    PUBLISH_RATE: '0',
    FRAME_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
  })) as unknown as {
    nodes: [NodeProcess, NodeProcess];
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
});

async function reads(): Promise<Record<string, number>> {
  const text = await (await fetch(`${node.internalUrl}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(/^wardroom_replay_reads_total\{from="(\w+)"\} (\d+)$/gm)].map(
      ([, from, count]) => [from, Number(count)],
    ),
  );
}

const eventsOf = ({ frames }: RawClient) =>
  frames.filter(({ type }) => /^message|^reaction/.test(type));

async function caughtUp(client: RawClient, room: string, since: number): Promise<any[]> {
  const { seq, replayed } = await client.subscribe(room, since);
  expect(replayed).toBe(seq - since);
  if (replayed > 0) await client.next((frame) => frame.seq === seq && frame.type !== 'subscribed');
  return eventsOf(client);
}

describe('a crowd that comes back at once', () => {
  test('costs a few statements, and everybody has what they missed, in order', async () => {
    const room = await world.room(ada);
    const writer = await live(other.wsUrl, ada.token);
    for (let i = 1; i <= 60; i += 1) await writer.publish(room, i);
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, () => live(node.wsUrl, ada.token)),
    );
    const before = await reads();
    const seen = await Promise.all(crowd.map((client, i) => caughtUp(client, room, i % 50)));
    const after = await reads();
    for (const [i, events] of seen.entries())
      expect(events.map(({ seq }) => seq)).toEqual(
        Array.from({ length: 60 - (i % 50) }, (_, n) => (i % 50) + n + 1),
      );
    const spent = (from: string) => (after[from] ?? 0) - (before[from] ?? 0);
    expect(spent('tail')).toBe(CROWD);
    expect(spent('postgres')).toBeLessThanOrEqual(5);
    expect(spent('head')).toBeLessThan(CROWD / 4);
    for (const client of crowd) client.ws.terminate();
  });
});

describe('a replay from memory', () => {
  test('is what Postgres replays: after edits, deletions and reactions on the other node, at once', async () => {
    const room = await world.room(ada);
    const [keeper, writer] = [
      await live(node.wsUrl, ada.token),
      await live(other.wsUrl, ada.token),
    ];
    await keeper.subscribe(room);
    const ids: string[] = [];
    for (let i = 0; i < 12; i += 1) ids.push((await writer.publish(room, `body-${i}`)).message_id);
    for (let i = 0; i < 12; i += 1) {
      const target = { room, message_id: ids[i]! };
      if (i % 3 === 0) await writer.ask({ type: 'edit', ...target, body: `edited-${i}` });
      if (i % 3 === 1) await writer.ask({ type: 'react', ...target, emoji: '👍', on: true });
      const deleted = await writer.ask({ type: 'delete', ...target });
      const reader = await live(node.wsUrl, ada.token);
      const heard = await caughtUp(reader, room, 0);
      // A node that has not heard of the deletion yet replays what it left, and tells it as it
      // comes.
      if (heard.at(-1).seq < deleted.seq) await reader.next((frame) => frame.seq === deleted.seq);
      const events = eventsOf(reader);
      const about = events.filter(({ message_id }) => message_id === target.message_id);
      expect(about.at(-1)).toMatchObject({ type: 'message_deleted', seq: deleted.seq });
      expect(about.flatMap(({ body }) => body ?? [])).toEqual([]);
      // The other node has nobody in the room: it reads all of it from Postgres.
      const fromPostgres = await live(other.wsUrl, ada.token);
      expect(await caughtUp(fromPostgres, room, 0)).toEqual(events);
      fromPostgres.ws.terminate();
      reader.ws.terminate();
    }
  });

  test('gives a member who was removed nothing: who reads meanwhile is told so, who comes later is refused', async () => {
    const ben = await world.user('ben');
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const [keeper, writer, reader] = [
      await live(node.wsUrl, ada.token),
      await live(other.wsUrl, ada.token),
      await live(node.wsUrl, ben.token),
    ];
    await keeper.subscribe(room);
    for (let i = 0; i < 20; i += 1) await writer.publish(room, 'before');
    await caughtUp(reader, room, 0);
    const reading = reader.subscribe(room, 0);
    await call(other.url, `/v1/rooms/${room}/members/${ben.id}`, {
      method: 'DELETE',
      token: ada.token,
    });
    await writer.publish(room, 'after');
    await keeper.next((frame) => frame.body === 'after');
    await reading;
    await reader.next('unsubscribed');
    expectError(await reader.subscribe(room, 0), 'not_found', { decision_id: expect.any(String) });
    expect(eventsOf(reader).filter(({ body }) => body === 'after')).toEqual([]);
    const late = await live(node.wsUrl, ben.token);
    expectError(await late.subscribe(room, 0), 'not_found', { decision_id: expect.any(String) });
    expect(eventsOf(late)).toEqual([]);
  });
});
