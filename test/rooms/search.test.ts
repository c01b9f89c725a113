/** The search finds words in rooms that the caller may read now, and nothing else (section 8). */
import { beforeAll, expect, test } from '@jest/globals';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let owner: SignedIn;
let ben: SignedIn;
let open: string;
let secret: string;

beforeAll(async () => {
  world = await World.create();
  [owner, ben] = (await world.users('owner', 'ben')) as [SignedIn, SignedIn];
  open = await world.room(owner, { visibility: 'public' }, [[ben, 'member']]);
  secret = await world.room(owner, {}, [[ben, 'member']]);
});

const publish = async (room: string, body: unknown, user = owner) =>
  (await call(nodeA(), `/v1/rooms/${room}/messages`, { token: user.token, body: { body } })).body;
async function search(user: SignedIn, query: Record<string, string>, base = nodeA()) {
  const { body } = await call(base, `/v1/search?${new URLSearchParams(query)}`, {
    token: user.token,
  });
  return body as {
    items: { message: { body: unknown; message_id: string }; ranges: object[] }[];
    next_cursor: string | null;
  };
}
const bodies = async (...args: Parameters<typeof search>) =>
  (await search(...args)).items.map(({ message }) => message.body);

test('texts and the member `text` of bodies are found, newest first, with the words marked', async () => {
  await publish(open, 'The heron waits');
  await publish(open, { text: '😀 a Heron \u{E000} flies', title: 'heron in another member' });
  await publish(open, { title: 'heron without text' });
  const { items } = await search(ben, { q: 'heron' }, nodeB());
  expect(items.map(({ message, ranges }) => [message.body, ranges])).toEqual([
    [
      { text: '😀 a Heron \u{E000} flies', title: 'heron in another member' },
      [{ from: 5, to: 10 }],
    ],
    ['The heron waits', [{ from: 4, to: 9 }]],
  ]);
});

test('an edit is found by its new words alone, a deleted message by none', async () => {
  const { message_id } = await publish(open, 'osprey');
  const path = `/v1/rooms/${open}/messages/${message_id}`;
  await call(nodeA(), path, { method: 'PATCH', token: owner.token, body: { body: 'kestrel' } });
  expect(await bodies(ben, { q: 'osprey' })).toEqual([]);
  expect(await bodies(ben, { q: 'kestrel' })).toEqual(['kestrel']);
  await call(nodeA(), path, { method: 'DELETE', token: owner.token });
  expect(await bodies(ben, { q: 'kestrel' })).toEqual([]);
});

test('room, sender, times and phrases narrow it; pages go on where the one before ended', async () => {
  const first = await publish(open, 'curlew one');
  await publish(secret, 'curlew two');
  await publish(open, 'curlew three', ben);
  expect(await bodies(ben, { q: 'curlew', room: secret })).toEqual(['curlew two']);
  expect(await bodies(ben, { q: 'curlew', sender: ben.id })).toEqual(['curlew three']);
  expect(await bodies(ben, { q: 'curlew', after: first.at })).toEqual([
    'curlew three',
    'curlew two',
  ]);
  expect(await bodies(ben, { q: '"one curlew"' })).toEqual([]);
  expect(await bodies(ben, { q: 'curlew -two' })).toEqual(['curlew three', 'curlew one']);
  const page = await search(ben, { q: 'curlew', limit: '2' });
  expect(page.items).toHaveLength(2);
  expect(await bodies(ben, { q: 'curlew', limit: '2', cursor: page.next_cursor! })).toEqual([
    'curlew one',
  ]);
});

test('pages hold every hit once, newest first, however many messages of others came between', async () => {
  const words = ['smew', 'teal', 'wigeon', 'pochard'];
  const texts: string[] = [];
  const rooms = [open, secret];
  const say = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const text = `${words[i % 4]} ${words[(i * 7 + 1) % 3]} ${texts.length}`;
      texts.unshift(text);
      await publish(rooms[i % 2]!, text);
    }
  };
  const stranger = await World.create();
  const room = await stranger.room(await stranger.user('stranger'));
  await say(12);
  // More than the search reads of the newest messages, and of another tenant.
  await query(
    process.env['TEST_CLUSTER_DATABASE_URL']!,
    `INSERT INTO room_events (room_id, seq, n, type, message_id, sender, body, epoch, at, words)
     SELECT $1, 100 + i, 100 + i, 'message',
       (substr(m, 1, 8) || '-' || substr(m, 9, 4) || '-7' || lpad(to_hex(i / 65536), 3, '0') || '-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       $1, '"smew"', 0, now(), message_words('smew', $2, $1)
     FROM generate_series(1, 10000) i, lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') m`,
    [room, stranger.tenant.id],
  );
  await say(12);
  for (const q of ['smew', 'smew teal', 'wigeon -smew', '"teal wigeon"', 'pochard']) {
    const expected = texts.filter((text) => isHit(q, text));
    const found: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await search(ben, { q, limit: '3', ...(cursor === '' ? {} : { cursor }) });
      found.push(...page.items.map(({ message }) => message.body));
      cursor = page.next_cursor;
    }
    expect([q, found]).toEqual([q, expected]);
  }
});

test('a removed member, or one of another tenant, finds nothing of the room from the receipt on', async () => {
  const room = await world.room(owner, {}, [[ben, 'member']]);
  await publish(room, 'bittern');
  expect(await bodies(ben, { q: 'bittern' })).toEqual(['bittern']);
  const { body } = await call(nodeA(), `/v1/rooms/${room}/members/${ben.id}`, {
    method: 'DELETE',
    token: owner.token,
  });
  expect(body.effective).toBe(true);
  for (const base of [nodeA(), nodeB()])
    expect(await bodies(ben, { q: 'bittern' }, base)).toEqual([]);
  const elsewhere = await (await World.create()).user('elsewhere', 'admin');
  expect(await bodies(elsewhere, { q: 'bittern' })).toEqual([]);
  expect(await bodies(owner, { q: 'bittern' })).toEqual(['bittern']);
});

test.each([['-only'], ['...'], [''], ['x'.repeat(201)]])(
  'a search for %p is refused with invalid_request',
  async (q) => {
    const { body } = await call(nodeA(), `/v1/search?${new URLSearchParams({ q })}`, {
      token: ben.token,
      expect: 422,
    });
    expect(body.code).toBe('invalid_request');
  },
);

/** The searches above, as a reader understands them. */
function isHit(q: string, text: string): boolean {
  if (q.startsWith('"')) return text.includes(q.slice(1, -1));
  return q
    .split(' ')
    .every((word) => text.includes(word.replace('-', '')) !== word.startsWith('-'));
}
