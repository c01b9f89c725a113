/**
 * F7: a page of history is bounded in bytes, bodies and reactions together, and the pages together
 * are everything.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const MESSAGES = 120;
const PAGE_BYTES = 1_048_576;
const [REACTED, EMOJIS, USERS] = [20, 50, 100];
const BODY = 'x'.repeat(30_000);
let node: NodeProcess;
let world: World;
let ada: SignedIn;
let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  node = await startNode({
    DATABASE_URL: databaseUrl,
    PUBLISH_RATE: '0',
    FRAME_RATE: '0',
    SIGNAL_RATE: '0',
    SUBSCRIBE_RATE: '0',
    CALL_RATE: '0',
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
});

/** All pages, following `next_cursor`. */
async function pages(room: string, query: string): Promise<{ bytes: number; items: any[] }[]> {
  const found = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body }: { body: any } = await call(
      node.url,
      `/v1/rooms/${room}/messages?limit=200${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
      {
        token: ada.token,
      },
    );
    found.push({ bytes: Buffer.byteLength(JSON.stringify(body)), items: body.items });
    cursor = body.next_cursor;
  }
  return found;
}

describe('pages of large messages', () => {
  let room: string;
  beforeAll(async () => {
    room = await world.room(ada);
    const writer = await RawClient.live(node.wsUrl, ada.token);
    for (let i = 0; i < MESSAGES; i += 1)
      while ((await writer.publish(room, BODY, `op-${i}`)).type !== 'ack') await writer.settled();
    writer.ws.terminate();
  });
  const ascending = Array.from({ length: MESSAGES }, (_, i) => i + 1);

  test.each([
    ['newest first', '', [...ascending].reverse()],
    ['oldest first', '&after=0', ascending],
  ])(
    '%s: none is larger than the bound and one item, and together they are everything in order',
    async (_, query, seqs) => {
      const found = await pages(room, query);
      expect(found.length).toBeGreaterThan(2);
      for (const { bytes } of found) expect(bytes).toBeLessThan(PAGE_BYTES + 32_768 + 1_024);
      for (const { items } of found.slice(0, -1)) expect(items.length).toBeGreaterThan(30);
      expect(found.flatMap(({ items }) => items.map(({ seq }) => seq))).toEqual(seqs);
    },
  );
});

test('reactions count: a page of small messages with many of them is cut as well', async () => {
  const room = await world.room(ada);
  const writer = await RawClient.live(node.wsUrl, ada.token);
  for (let i = 0; i < REACTED; i += 1) await writer.publish(room, i, `op-${i}`);
  writer.ws.terminate();
  // As many as the quotas let through and as a page names.
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  await database.query(
    `INSERT INTO reactions (message_id, user_id, emoji, room_id, reaction_on, seq)
     SELECT e.message_id, gen_random_uuid(), 'e' || i, e.room_id, true, i
     FROM room_events e, generate_series(1, $2) i, generate_series(1, $3) WHERE e.room_id = $1`,
    [room, EMOJIS, USERS],
  );
  await database.end();
  const found = await pages(room, '');
  expect(found.length).toBeGreaterThan(1);
  for (const { bytes } of found) expect(bytes).toBeLessThan(3 * PAGE_BYTES);
  const items = found.flatMap((page) => page.items);
  expect(items.map(({ seq }) => seq)).toEqual(
    Array.from({ length: REACTED }, (_, i) => REACTED - i),
  );
  for (const { reactions } of items) expect(reactions).toHaveLength(EMOJIS);
});
