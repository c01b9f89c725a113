/** A room on one node: whatever arrives before a gap is closed, the gap can be closed. */
import { describe, expect, test } from '@jest/globals';
import { RoomChannel } from '../../../src/gateway/delivery/room-channel.js';
import type { ChannelHost } from '../../../src/gateway/delivery/room-channel.js';
import { ReplayBudget } from '../../../src/gateway/delivery/replay-buffer.js';
import type { Connection } from '../../../src/gateway/connection/connection.js';
import type { Subscription } from '../../../src/gateway/delivery/room-channel.js';
import { monotonicMs } from '../../../src/platform/clock.js';
import type { RoomEvent } from '../../../src/rooms/events/room-event.js';

const event = (seq: number): RoomEvent => ({
  room: 'r',
  seq,
  epoch: 0,
  mark: `m${seq}`,
  prev: seq === 1 ? '' : `m${seq - 1}`,
  frame: `{"seq":${seq}}`,
});

/** Postgres holds `stored` events; fan-outs are up to the test. */
function channelOn(
  stored: number,
  hasEnded: (session: string) => boolean = () => false,
): RoomChannel {
  const silent = { inc: () => undefined };
  const host = {
    history: {
      eventsAfter: (_room: string, seq: number, limit: number) =>
        Promise.resolve(
          Array.from({ length: Math.min(limit, stored - seq) }, (_, i) => event(seq + 1 + i)),
        ),
    },
    lease: { isFenced: () => false, round: () => Promise.resolve() },
    metrics: { deliveries: silent, gapsRepaired: silent },
    tails: new ReplayBudget(),
    wantsFanOut: () => undefined,
    doubts: () => undefined,
    hasEnded,
  };
  const channel = new RoomChannel('r', host as unknown as ChannelHost);
  channel.position({ seq: 0, mark: '', epoch: 0, roomEpoch: '0', before: [] });
  return channel;
}

describe('a gap before more events than are held', () => {
  test('is closed from Postgres, and everything after it follows', async () => {
    const stored = 6_000;
    const channel = channelOn(stored);
    for (let seq = 2; seq <= stored; seq += 1) channel.offer(event(seq));
    for (let turn = 0; turn < 20 && channel.lastSeq < stored; turn += 1) {
      await channel.repair();
      channel.take(monotonicMs());
    }
    expect(channel.lastSeq).toBe(stored);
  });
});

describe('a signal that waits for its fan-out', () => {
  test('is not heard when the session it came from ends meanwhile; others are', () => {
    const ended = new Set<string>();
    const channel = channelOn(0, (session) => ended.has(session));
    const heard: string[] = [];
    const connection = {
      writeNow: (buffer: Buffer) => heard.push(buffer.toString('utf8', 2)) > 0,
    } as unknown as Connection;
    channel.goLive({
      connection,
      channel,
      live: false,
      ended: false,
      deliveredSeq: 0,
      lastFanOut: 0,
    } as unknown as Subscription);
    for (const session of ['ada', 'bob'])
      channel.offerTransient({ room: 'r', session, epoch: 0, frame: session });
    ended.add('ada');
    channel.take(monotonicMs())!.deliver(1, false);
    expect(heard).toEqual(['bob']);
  });
});
