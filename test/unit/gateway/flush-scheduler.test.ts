/**
 * When sockets are written: in slices, small rooms past large ones, what several rooms say to one
 * connection at once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { LeaseRounds } from '../../../src/authority/lease/lease-rounds.js';
import type { Connection } from '../../../src/gateway/connection/connection.js';
import type { RoomChannel } from '../../../src/gateway/delivery/room-channel.js';
import { RoomChannel as Channel } from '../../../src/gateway/delivery/room-channel.js';
import type { ChannelHost } from '../../../src/gateway/delivery/room-channel.js';
import { ReplayBudget } from '../../../src/gateway/delivery/replay-buffer.js';
import type { Subscription } from '../../../src/gateway/delivery/room-channel.js';
import type { ConnectionRegistry } from '../../../src/gateway/connection/connection-registry.js';
import { monotonicMs } from '../../../src/platform/clock.js';
import { FlushScheduler } from '../../../src/gateway/delivery/fan-out/flush-scheduler.js';

class Node {
  beats = 0;
  readonly turns = new FlushScheduler(
    { beat: () => ((this.beats += 1), monotonicMs()) } as unknown as LeaseRounds,
    { flushBy: () => undefined } as unknown as ConnectionRegistry,
  );
  /** The frames that left, in order: `connection: texts`. */
  readonly writes: string[] = [];

  room(id: string, members: Connection[]): RoomChannel {
    const host = {
      lease: { isFenced: () => false },
      metrics: { deliveries: { inc: () => undefined } },
      tails: new ReplayBudget(),
      wantsFanOut: (room: RoomChannel) => this.turns.wantsFanOut(room),
      hasEnded: () => false,
    };
    const room = new Channel(id, host as unknown as ChannelHost);
    room.position({ seq: 0, mark: '', epoch: 0, roomEpoch: '0', before: [] });
    for (const connection of members) {
      room.goLive({
        connection,
        channel: room,
        live: false,
        ended: false,
        deliveredSeq: 0,
        lastFanOut: 0,
      } as unknown as Subscription);
    }
    return room;
  }

  member(name: string): Connection {
    let waiting: string[] = [];
    const connection = {
      liveRooms: 0,
      writeNow: (buffer: Buffer) => this.writes.push(`${name}: ${textsOf(buffer)}`) > 0,
      queue: (buffer: Buffer) => {
        if (waiting.push(textsOf(buffer)) === 1) this.turns.wantsFlush(connection);
      },
      flush: () => {
        this.writes.push(`${name}: ${waiting.join('+')}`);
        waiting = [];
      },
    } as unknown as Connection;
    return connection;
  }

  members(count: number): Connection[] {
    return Array.from({ length: count }, (_, i) => this.member(`m${i}`));
  }
}

/** Frames of this test are shorter than 126 bytes. */
function textsOf(buffer: Buffer): string {
  const texts = [];
  for (let at = 0; at < buffer.length; at += 2 + buffer[at + 1]!)
    texts.push(buffer.toString('utf8', at + 2, at + 2 + buffer[at + 1]!));
  return texts.join('+');
}

const say = (room: RoomChannel, frame: string): void =>
  room.offerTransient({ room: room.id, session: 's', epoch: 0, frame });

describe('a turn', () => {
  test('writes a message to each member once, and messages of one turn together', async () => {
    const node = new Node();
    const room = node.room('r', [node.member('ada'), node.member('bob')]);
    for (const text of ['one', 'two']) say(room, text);
    await nextTurn();
    expect(node.writes.sort()).toEqual(['ada: one+two', 'bob: one+two']);
  });

  test('joins what several rooms say to a connection in one write', async () => {
    const node = new Node();
    const [ada, bob] = [node.member('ada'), node.member('bob')];
    const rooms = [node.room('a', [ada, bob]), node.room('b', [ada]), node.room('c', [ada])];
    for (const room of rooms) say(room, room.id);
    await nextTurn();
    expect(node.writes).toEqual(['bob: a', 'ada: a+b+c']);
  });

  test('joins them also when the turn takes many slices', async () => {
    const node = new Node();
    const ada = node.member('ada');
    const rooms = Array.from({ length: 20 }, (_, i) =>
      node.room(`r${i}`, [ada, ...node.members(100)]),
    );
    for (const room of rooms) say(room, 'x');
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(node.writes).toHaveLength(20 * 100 + 1);
    expect(node.writes.at(-1)).toBe(`ada: ${rooms.map(() => 'x').join('+')}`);
  });

  test('writes no more than a slice before the event loop goes on, and beats for the lease between', async () => {
    const node = new Node();
    const room = node.room('r', node.members(1_000));
    say(room, 'x');
    const perTurn = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const before = node.writes.length;
      await nextTurn();
      perTurn.push(node.writes.length - before);
    }
    expect(perTurn).toEqual([256, 256, 256, 232]);
    expect(node.beats).toBeGreaterThanOrEqual(4);
  });

  test('a small room and an answer do not wait for a large room', async () => {
    const node = new Node();
    const large = node.room('l', node.members(5_000));
    const small = node.room('s', [node.member('ada')]);
    say(large, 'x');
    await nextTurn();
    say(small, 'hi');
    node.member('bob').queue(Buffer.from([0x81, 2, 111, 107]), null);
    await nextTurn();
    expect(node.writes).toContain('ada: hi');
    expect(node.writes).toContain('bob: ok');
    expect(node.writes.length).toBeLessThan(1_000);
  });

  test('events of a large room during its fan-out follow it, to everybody, in order', async () => {
    const node = new Node();
    const room = node.room('l', node.members(600));
    say(room, 'one');
    await nextTurn();
    say(room, 'two');
    while (node.writes.length < 1_200) await nextTurn();
    expect(node.writes.slice(0, 600).every((write) => write.endsWith(': one'))).toBe(true);
    expect(new Set(node.writes.slice(600)).size).toBe(600);
    expect(node.writes.slice(600).every((write) => write.endsWith(': two'))).toBe(true);
  });

  test('a turn of more than 64 KiB is handed over in pieces, of which the later can still be taken back', async () => {
    const node = new Node();
    const pieces: number[] = [];
    const take = (buffer: Buffer) => pieces.push(buffer.length) > 0;
    const room = node.room('r', [
      { liveRooms: 0, writeNow: take, queue: take } as unknown as Connection,
    ]);
    for (let i = 0; i < 10; i += 1) say(room, 'x'.repeat(20_000));
    await nextTurn();
    expect(pieces).toEqual([60_012, 60_012, 60_012, 20_004]);
    say(room, 'y'.repeat(100_000));
    await nextTurn();
    expect(pieces.at(-1)).toBe(100_010);
  });
});
