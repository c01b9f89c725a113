/** Messages of presence to the other nodes, and silence while there are none. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { HEARTBEAT_MS } from '../../../src/gateway/connection/timers/connection-timers.js';
import { Ticks } from '../../../src/gateway/ticks.js';
import { Presence } from '../../../src/gateway/delivery/presence.js';
import type { Channels } from '../../../src/gateway/delivery/channels.js';
import type { RoomChannel } from '../../../src/gateway/delivery/room-channel.js';
import type { PresenceState } from '../../../src/gateway/delivery/bus-message.js';
import type { RoomBus } from '../../../src/gateway/delivery/room-bus.js';

const ROOMS = 300;
const TELL_AGAIN_MS = 15_000;

/** One user in each of many rooms of one node. */
class Bench {
  readonly said: { room: string; state: PresenceState | null; atMs: number }[] = [];
  readonly heard: { room: string; atMs: number; frame: Record<string, unknown> }[] = [];
  readonly bus = { alone: true };
  readonly ticks = new Ticks();
  readonly presence: Presence;
  private readonly rooms = new Map<string, RoomChannel>();

  constructor() {
    const channels = {
      onChange: () => undefined,
      get: (id: string) => this.rooms.get(id),
    } as unknown as Channels;
    const sendPresence = (room: string, state: PresenceState | null) =>
      this.said.push({ room, state, atMs: Date.now() });
    this.presence = new Presence(
      channels,
      Object.assign(this.bus, { sendPresence }) as unknown as RoomBus,
      this.ticks,
    );
    this.ticks.onModuleInit();
    this.presence.start();
    for (let i = 0; i < ROOMS; i += 1) {
      const subscription = { connection: { principal: { userId: `user-${i}` } } };
      const broadcast = (frame: Buffer) =>
        this.heard.push({ room: `room-${i}`, atMs: Date.now(), frame: contentOf(frame) });
      const channel = {
        id: `room-${i}`,
        subscriptions: new Set([subscription]),
        broadcast,
      } as unknown as RoomChannel;
      this.rooms.set(channel.id, channel);
      channels.onChange(channel);
    }
  }

  states(): { room: string; atMs: number }[] {
    return this.said.filter(({ state }) => state !== null);
  }
}

const contentOf = (frame: Buffer): Record<string, unknown> =>
  JSON.parse(frame.toString('utf8', 2)) as Record<string, unknown>;
const mostAtOnce = (said: { atMs: number }[]): number =>
  Math.max(...said.map(({ atMs }) => said.filter((other) => other.atMs === atMs).length));

describe('presence', () => {
  let bench: Bench;

  beforeEach(() => {
    jest.useFakeTimers();
    bench = new Bench();
  });

  afterEach(() => {
    bench.ticks.onModuleDestroy();
    jest.useRealTimers();
  });

  test('a node that is alone tells its clients, and the others nothing but its first question', () => {
    jest.advanceTimersByTime(4 * TELL_AGAIN_MS);
    expect(bench.heard).toHaveLength(ROOMS);
    expect(bench.said).toHaveLength(ROOMS);
    expect(bench.states()).toEqual([]);
  });

  test('a question is answered by a node that believes to be alone', () => {
    bench.presence.receive({ kind: 'presence_query', node: 'other', room: 'room-7' });
    expect(bench.said.at(-1)).toMatchObject({
      room: 'room-7',
      state: { room: 'room-7', users: ['user-7'], count: 1 },
    });
  });

  test('when another node comes every room is told within 15 s, a few with each tick', () => {
    jest.advanceTimersByTime(2 * TELL_AGAIN_MS);
    bench.bus.alone = false;
    jest.advanceTimersByTime(TELL_AGAIN_MS + 1_000);
    expect(new Set(bench.states().map(({ room }) => room)).size).toBe(ROOMS);
    expect(mostAtOnce(bench.states())).toBeLessThan(ROOMS / 4);
  });

  test('when many rooms change at once each is told within a second, a few at a time', () => {
    jest.advanceTimersByTime(1_000);
    expect(new Set(bench.heard.map(({ room }) => room)).size).toBe(ROOMS);
    expect(mostAtOnce(bench.heard)).toBeLessThan(ROOMS / 4);
  });

  test('a user on a node that fell silent has left within two heartbeats of a connection, and not before the node may have missed two of its turns', () => {
    jest.advanceTimersByTime(1_000);
    bench.presence.receive({
      kind: 'presence',
      node: 'other',
      state: { room: 'room-7', users: ['far'], count: 1 },
    });
    const since = Date.now();
    jest.advanceTimersByTime(70_000);
    const told = bench.heard.filter(({ room, atMs }) => room === 'room-7' && atMs > since);
    expect(told.map(({ frame }) => frame)).toMatchObject([
      { joined: ['far'], left: [] },
      { joined: [], left: ['far'] },
    ]);
    expect(told[1]!.atMs - since).toBeGreaterThan(2 * TELL_AGAIN_MS);
    expect(told[1]!.atMs - since).toBeLessThanOrEqual(2 * HEARTBEAT_MS);
  });

  test('the presence of another node is sent to the clients here, and never back to the nodes', () => {
    bench.bus.alone = false;
    jest.advanceTimersByTime(1_000);
    const before = bench.states().length;
    for (let i = 0; i < ROOMS; i += 1)
      bench.presence.receive({
        kind: 'presence',
        node: 'other',
        state: { room: `room-${i}`, users: ['far'], count: 1 },
      });
    jest.advanceTimersByTime(1_000);
    expect(bench.heard).toHaveLength(2 * ROOMS);
    // The sweep comes by a fifteenth of the rooms in a second, whatever was heard.
    expect(bench.states().length - before).toBeLessThanOrEqual(ROOMS / 10);
  });

  test('nobody is told again and again what the clients know', () => {
    bench.bus.alone = false;
    jest.advanceTimersByTime(4 * TELL_AGAIN_MS);
    expect(bench.heard).toHaveLength(ROOMS);
    const told = bench.states().filter(({ room }) => room === 'room-7');
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told.length).toBeLessThanOrEqual(6);
  });
});

describe('presence of a crowd', () => {
  test('is a count, told at a thousand deliveries a second and not once a second to everybody; the last one is told', () => {
    jest.useFakeTimers();
    const heard: number[] = [];
    const subscriptions = new Set<object>();
    const channel = {
      id: 'crowd',
      subscriptions,
      broadcast: (frame: Buffer) => heard.push(contentOf(frame)['count'] as number),
    } as unknown as RoomChannel;
    const channels = { get: () => channel } as unknown as Channels;
    const ticks = new Ticks();
    const bus = { alone: true, sendPresence: () => undefined } as unknown as RoomBus;
    const presence = new Presence(channels, bus, ticks);
    ticks.onModuleInit();
    presence.start();
    for (let second = 0; second < 30; second += 1) {
      for (let i = 0; i < 100; i += 1)
        subscriptions.add({ connection: { principal: { userId: `${second}-${i}` } } });
      if (second === 0)
        for (let i = 0; i < 5_000; i += 1)
          subscriptions.add({ connection: { principal: { userId: `first ${i}` } } });
      channels.onChange(channel);
      jest.advanceTimersByTime(1_000);
    }
    expect(heard.length).toBeGreaterThanOrEqual(4);
    expect(heard.length).toBeLessThanOrEqual(6);
    jest.advanceTimersByTime(10_000);
    expect(heard.at(-1)).toBe(8_000);
    ticks.onModuleDestroy();
    jest.useRealTimers();
  });
});
