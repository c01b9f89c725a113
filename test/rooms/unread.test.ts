/**
 * The numbers of messages (contract section 8): unread and mention counts equal an oracle after any
 * mix of sends, edits, deletes, reads on two devices, removals and returns, seen from either node
 * and by each device that watches.
 * SEED writes the same history again.
 */
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { randomOf } from '../property/script.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const SEED = Number(process.env['SEED'] ?? randomBytes(3).readUIntBE(0, 3));
const STEPS = 120;
const NODES = [nodeA(), nodeB()];

interface Message {
  id: string;
  seq: number;
  n: number;
  sender: number;
  mentions: number[] | 'room';
  deleted: boolean;
}

let world: World;
let users: SignedIn[];
let room: string;

beforeAll(async () => {
  world = await World.create();
  users = await world.users('owner', 'ben', 'cleo', 'dan');
  room = await world.room(
    users[0]!,
    {},
    users.slice(1).map((user) => [user, 'member']),
  );
});

const idOf = (user: number): string => users[user]!.id;

async function counts(user: number, base: string): Promise<object | undefined> {
  const { body } = await call(base, '/v1/me/rooms', { token: users[user]!.token });
  const item = body.items.find((one: { room: { id: string } }) => one.room.id === room);
  if (item === undefined) return undefined;
  const { last_n, read_n, unread, mentions } = item;
  return { last_n, read_n, unread, mentions };
}

test(`unread and mention counts equal an oracle, from seed ${SEED}`, async () => {
  const pick = randomOf(SEED);
  const messages: Message[] = [];
  const readN = [0, 0, 0, 0];
  const inside = [true, true, true, true];
  /** Number of the last message at each seq. */
  const nAt = [0];
  // Two devices of each, one on each node.
  const devices = await Promise.all(
    users.map(({ token }) => Promise.all(NODES.map((base) => RawClient.live(wsUrl(base), token)))),
  );
  for (const pair of devices) for (const device of pair) await device.ask({ type: 'watch' });
  /** The last activity of the room, unless the user came back after it. */
  const toldTo = (device: RawClient): object | undefined => {
    const last = device.frames.findLast(
      ({ type, change }) => type === 'activity' || change === 'added',
    );
    if (last?.type !== 'activity') return undefined;
    const { n, unread, mentions } = last;
    return { n, unread, mentions };
  };
  const ask = (user: number, frame: Record<string, unknown>) =>
    devices[user]![pick(2)]!.ask({ room, ...frame });
  const happened = (seq: number): void => {
    nAt[seq] = messages.length;
  };
  const memberOf = (): number => {
    for (;;) {
      const user = pick(4);
      if (inside[user]) return user;
    }
  };

  const steps: Record<string, () => Promise<void>> = {
    async send() {
      const user = memberOf();
      const others = [1, 2, 3].filter((other) => inside[other] && pick(3) === 0);
      const mentions = user === 0 && pick(4) === 0 ? 'room' : others;
      const wanted = mentions === 'room' ? 'room' : mentions.map(idOf);
      const { type, seq, message_id } = await ask(user, {
        type: 'publish',
        op_id: `op-${messages.length}`,
        body: 'x',
        ...(wanted.length === 0 ? {} : { mentions: wanted }),
      });
      expect(type).toBe('ack');
      const n = messages.length + 1;
      messages.push({ id: message_id, seq, n, sender: user, mentions, deleted: false });
      happened(seq);
      readN[user] = n;
    },
    async edit() {
      const message = messages[pick(messages.length)];
      if (message === undefined || message.deleted || !inside[message.sender]) return;
      const { type, seq } = await ask(message.sender, {
        type: 'edit',
        message_id: message.id,
        body: 'y',
      });
      expect(type).toBe('ack');
      happened(seq);
    },
    async delete() {
      const message = messages[pick(messages.length)];
      if (message === undefined || message.deleted) return;
      const { type, seq } = await ask(0, { type: 'delete', message_id: message.id });
      expect(type).toBe('ack');
      message.deleted = true;
      happened(seq);
    },
    async react() {
      const message = messages[pick(messages.length)];
      if (message === undefined || message.deleted) return;
      const { type, seq, duplicate } = await ask(memberOf(), {
        type: 'react',
        message_id: message.id,
        emoji: 'e',
        on: pick(2) === 0,
      });
      expect(type).toBe('ack');
      if (duplicate !== true && nAt[seq] === undefined) happened(seq);
    },
    async read() {
      const user = memberOf();
      const upTo = pick(nAt.length + 3);
      const { type, seq } = await ask(user, { type: 'read', seq: upTo });
      expect(type).toBe('ack');
      const read = nAt[Math.min(upTo, nAt.length - 1)]!;
      readN[user] = Math.max(readN[user]!, read);
      expect(nAt[seq]).toBe(readN[user]);
    },
    async removeOrReturn() {
      const user = 1 + pick(3);
      const path = `/v1/rooms/${room}/members`;
      const token = users[0]!.token;
      if (inside[user]) {
        await call(nodeA(), `${path}/${idOf(user)}`, { method: 'DELETE', token });
        inside[user] = false;
        return;
      }
      await call(nodeA(), path, { token, body: { user: idOf(user) } });
      inside[user] = true;
      readN[user] = messages.length;
    },
  };
  const names = ['send', 'send', 'send', 'edit', 'delete', 'react', 'read', 'read'];

  for (let step = 1; step <= STEPS; step += 1) {
    const name = step % 20 === 0 ? 'removeOrReturn' : names[pick(names.length)]!;
    await steps[name]!();
    if (step % 15 !== 0) continue;
    for (const user of [0, 1, 2, 3]) {
      const mentioned = messages.filter(
        ({ n, mentions, deleted }) =>
          n > readN[user]! && !deleted && (mentions === 'room' || mentions.includes(user)),
      );
      expect([step, user, await counts(user, NODES[pick(2)]!)]).toEqual([
        step,
        user,
        inside[user]
          ? {
              last_n: messages.length,
              read_n: readN[user],
              unread: messages.length - readN[user]!,
              mentions: mentioned.length,
            }
          : undefined,
      ]);
      if (!inside[user]) continue;
      const known = {
        n: messages.length,
        unread: messages.length - readN[user]!,
        mentions: mentioned.length,
      };
      for (const device of devices[user]!)
        await eventually(
          `step ${step}: user ${user} was told ${JSON.stringify(known)}`,
          () => JSON.stringify(toldTo(device) ?? known) === JSON.stringify(known),
        );
    }
  }
  for (const pair of devices) for (const device of pair) device.close();
}, 90_000);

test('every message carries its number, live, replayed and in the history', async () => {
  const quiet = await world.room(users[0]!);
  const client = await RawClient.live(wsUrl(nodeA()), users[0]!.token);
  await client.subscribe(quiet);
  const first = await client.publish(quiet, 'a');
  await client.ask({
    type: 'react',
    room: quiet,
    message_id: first.message_id,
    emoji: 'e',
    on: true,
  });
  await client.publish(quiet, 'b');
  const live = [await client.next('message', undefined, 0)];
  live.push(await client.next((frame) => frame.type === 'message' && frame.body === 'b'));
  expect(live.map(({ n, seq }) => [n, seq])).toEqual([
    [1, 1],
    [2, 3],
  ]);
  const late = await RawClient.live(wsUrl(nodeB()), users[0]!.token);
  await late.subscribe(quiet, 0);
  await late.next((frame) => frame.type === 'message' && frame.body === 'b', undefined, 0);
  expect(late.frames.filter(({ type }) => type === 'message').map(({ n }) => n)).toEqual([1, 2]);
  const { body } = await call(nodeA(), `/v1/rooms/${quiet}/messages`, { token: users[0]!.token });
  expect(body.items.map(({ n }: { n: number }) => n)).toEqual([2, 1]);
  client.close();
  late.close();
});
