/**
 * Room events that Postgres has lost: rows are taken away under two running nodes, as a failover to
 * a standby that was behind would, while clients listen. P1 of version 1.1: they are told `reset`,
 * never `recovered: true`, and what is lost is named.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { SERVER_FRAMES } from '@wardroom/protocol';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let cluster: Cluster;
let database: pg.Client;
let world: World;
let ada: SignedIn;
const opened: RawClient[] = [];

beforeAll(async () => {
  cluster = await startCluster(2, {
    PUBLISH_RATE: '0',
    FRAME_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
  });
  database = new pg.Client({ connectionString: cluster.databaseUrl });
  await database.connect();
  world = await World.create({ base: cluster.nodes[0]!.url });
  ada = await world.user('ada');
});
afterEach(() => {
  for (const client of opened.splice(0)) {
    for (const frame of client.frames)
      SERVER_FRAMES[frame.type as keyof typeof SERVER_FRAMES].parse(frame);
    client.ws.terminate();
  }
});
afterAll(() => database.end());

async function live(node: 0 | 1): Promise<RawClient> {
  const client = await RawClient.live(wsUrl(cluster.nodes[node]!.url), ada.token);
  opened.push(client);
  return client;
}

async function rewind(room: string, to: number): Promise<void> {
  await database.query('BEGIN');
  await database.query('DELETE FROM room_events WHERE room_id = $1 AND seq > $2', [room, to]);
  await database.query('UPDATE rooms SET last_seq = $2 WHERE id = $1', [room, to]);
  await database.query('COMMIT');
}

/** The events in Postgres now, in order. */
const stored = async (room: string): Promise<unknown[]> =>
  (
    await database.query('SELECT body FROM room_events WHERE room_id = $1 ORDER BY seq', [room])
  ).rows.map(({ body }) => JSON.parse(body));

/** The events of the room that a client which obeys `reset` has in the end. */
function kept({ frames }: RawClient, room: string): unknown[] {
  const bodies: unknown[] = [];
  for (const frame of frames.filter((each) => each.room === room)) {
    if (frame.type === 'reset') bodies.length = Math.min(bodies.length, frame.seq);
    if (frame.type !== 'message') continue;
    expect(frame.seq).toBe(bodies.length + 1);
    bodies.push(frame.body);
  }
  return bodies;
}

const audited = async (room: string): Promise<{ from: number; to: number; epoch: string }[]> =>
  (
    await database.query(
      `SELECT detail FROM audit_events WHERE event = 'room_events_lost' AND detail ->> 'room' = $1`,
      [room],
    )
  ).rows.map(({ detail }) => detail);

async function eventually(yes: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8_000;
  while (!(await yes())) if (performance.now() > deadline) throw new Error('never came');
}

/**
 * A room in which `count` messages were published, a subscriber on each node that has them all, and
 * a writer.
 */
async function talkedIn(count: number) {
  const room = await world.room(ada);
  const [writer, near, far] = [await live(0), await live(0), await live(1)];
  const epochs = new Set(
    (await Promise.all([near.subscribe(room), far.subscribe(room)])).map(({ epoch }) => epoch),
  );
  expect(epochs.size).toBe(1);
  for (let i = 1; i <= count; i += 1) await writer.publish(room, `old ${i}`);
  for (const client of [near, far])
    if (count > 0) await client.next((frame) => frame.type === 'message' && frame.seq === count);
  return { room, writer, near, far, epoch: [...epochs][0] as string };
}

describe('room events that Postgres has lost', () => {
  test('T2: live subscribers on every node are told `reset` with a new epoch and what is lost, and then hear everything that is stored', async () => {
    const { room, writer, near, far, epoch } = await talkedIn(5);
    await rewind(room, 3);
    for (let i = 1; i <= 4; i += 1)
      expect(await writer.publish(room, `new ${i}`)).toMatchObject({
        type: 'ack',
        seq: 3 + i,
        duplicate: false,
      });
    const told: any[] = [];
    for (const client of [near, far]) {
      told.push(await client.next('reset'));
      await client.next((frame) => frame.type === 'message' && frame.body === 'new 4');
      expect(kept(client, room)).toEqual(await stored(room));
    }
    expect(told[0]).toEqual({
      type: 'reset',
      room,
      epoch: expect.any(String),
      seq: 3,
      lost: { from: 4, to: 5 },
    });
    expect(told[1]).toEqual(told[0]);
    expect(told[0].epoch).not.toBe(epoch);
    await eventually(async () => (await audited(room)).length === 2);
    expect(await audited(room)).toEqual(
      [0, 1].map(() => expect.objectContaining({ from: 4, to: 5, epoch: told[0].epoch })),
    );
  });

  test('a room that nobody writes to is found as well, within two seconds', async () => {
    const { room, near, far } = await talkedIn(5);
    await rewind(room, 3);
    const began = performance.now();
    for (const client of [near, far])
      expect(await client.next('reset')).toMatchObject({ seq: 3, lost: { from: 4, to: 5 } });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('`since` beyond the end is never recovered, and another epoch is answered `reset`, whichever node is asked and however soon', async () => {
    const { room, writer, epoch } = await talkedIn(5);
    await rewind(room, 3);
    const early = await live(1);
    expect(await early.subscribe(room, 5)).toMatchObject({ recovered: false, seq: 3, replayed: 0 });
    for (let i = 1; i <= 4; i += 1) await writer.publish(room, `new ${i}`);
    for (const node of [0, 1] as const) {
      const late = await live(node);
      const answer = await late.ask({ type: 'subscribe', room, since: 5, epoch });
      expect(answer).toMatchObject({ recovered: false, reset: true, seq: 7, replayed: 0 });
      expect(answer.epoch).not.toBe(epoch);
      const again = await late.ask({ type: 'subscribe', room, since: 5, epoch: answer.epoch });
      expect(again).toMatchObject({ recovered: true, seq: 7, replayed: 2, epoch: answer.epoch });
      expect(again).not.toHaveProperty('reset');
    }
  });

  test('advanced past the old end before anybody looked: the event with the old number is another one, and that is seen', async () => {
    const { room, near, far } = await talkedIn(5);
    // Rows as another node, that nobody has heard of, would have written them.
    await database.query('BEGIN');
    await database.query('DELETE FROM room_events WHERE room_id = $1 AND seq > 3', [room]);
    await database.query(
      `INSERT INTO room_events (room_id, seq, type, message_id, sender, op_id, kind, body, epoch)
       SELECT $1, n, 'message', gen_random_uuid(), $2, 'op-' || n, 'text', '"new ' || n - 3 || '"', 0 FROM generate_series(4, 9) n`,
      [room, ada.id],
    );
    await database.query('UPDATE rooms SET last_seq = 9 WHERE id = $1', [room]);
    await database.query('COMMIT');
    for (const client of [near, far]) {
      expect(await client.next('reset')).toMatchObject({ seq: 3, lost: { from: 4, to: 5 } });
      await client.next((frame) => frame.type === 'message' && frame.seq === 9);
      expect(kept(client, room)).toEqual(await stored(room));
    }
  });

  test('history pages name the epoch of their numbers', async () => {
    const { room, near, epoch } = await talkedIn(2);
    const page = async () =>
      (await call(cluster.nodes[1]!.url, `/v1/rooms/${room}/messages`, { token: ada.token })).body
        .epoch;
    expect(await page()).toBe(epoch);
    await rewind(room, 1);
    const { epoch: next } = await near.next('reset');
    expect(await page()).toBe(next);
  });

  test('a publish that was lost and comes again under its op_id is stored anew, once', async () => {
    const { room, writer, near } = await talkedIn(1);
    const publish = { type: 'publish', room, op_id: 'kept by its sender', body: 'again' };
    const first = await writer.ask(publish);
    await near.next((frame) => frame.type === 'message' && frame.seq === 2);
    await rewind(room, 1);
    const second = await writer.ask(publish);
    expect(second).toMatchObject({ seq: 2, duplicate: false });
    expect(second.message_id).not.toBe(first.message_id);
    expect(await writer.ask(publish)).toMatchObject({
      seq: 2,
      duplicate: true,
      message_id: second.message_id,
    });
    await near.next('reset');
    await near.next((frame) => frame.type === 'message' && frame.message_id === second.message_id);
    expect(kept(near, room)).toEqual(['old 1', 'again']);
  });

  test('when the history of the authority log is another one, every room has another epoch, and nothing is said to be lost that is there', async () => {
    const { room, writer, near, far, epoch } = await talkedIn(2);
    await database.query('UPDATE authority_head SET history = gen_random_uuid()');
    const told = [await near.next('reset'), await far.next('reset')];
    for (const each of told)
      expect(each).toEqual({ type: 'reset', room, epoch: expect.any(String), seq: 2 });
    expect(new Set([epoch, ...told.map((each) => each.epoch)]).size).toBe(2);
    // The nodes judge everything again meanwhile, and answer `auth_unavailable` until they have.
    await eventually(async () => (await writer.publish(room, 'new', 'one effect')).type === 'ack');
    for (const client of [near, far]) {
      await client.next((frame) => frame.type === 'message' && frame.body === 'new');
      expect(kept(client, room)).toEqual(await stored(room));
    }
    expect(await audited(room)).toEqual([]);
    expect(await writer.ask({ type: 'subscribe', room, since: 2, epoch })).toMatchObject({
      recovered: false,
      reset: true,
    });
  });

  test('lost and lost again: an epoch that was given up does not come back', async () => {
    const { room, writer, near, epoch } = await talkedIn(4);
    await rewind(room, 2);
    const first = await near.next('reset');
    await writer.publish(room, 'between');
    await near.next((frame) => frame.type === 'message' && frame.body === 'between');
    await database.query('UPDATE rooms SET epoch = $2 WHERE id = $1', [room, epoch.split('.')[1]]);
    await rewind(room, 1);
    const second = await near.next(
      (frame) => frame.type === 'reset' && frame.epoch !== first.epoch,
    );
    expect(new Set([epoch, first.epoch, second.epoch]).size).toBe(3);
    expect(second).toMatchObject({ seq: 1, lost: { from: 2, to: 3 } });
    expect(kept(near, room)).toEqual(await stored(room));
  });
});
