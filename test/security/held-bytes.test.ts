/**
 * P8: each queue that a client can fill is driven to its bound (src/budgets/held-bytes.ts), reaches
 * it and holds it. A row without a drive does not compile.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { LIMITS } from '@wardroom/protocol';
import {
  CLOSES_WAITING_MAX,
  TIMELINES_WAITING_MAX,
  HELD_BYTES,
  NODE_TAILS_BYTES,
  PAGE_BYTES,
  PONG_BYTES,
  QUEUE_LIMITS_MAX,
  RECONNECTS_WAITING_MAX,
  ROOM_TAIL_BYTES,
} from '../../src/budgets/held-bytes.js';
import { EVENTS_MAX, Timeline } from '../../src/gateway/live/timeline.js';
import { CloseLog } from '../../src/gateway/connection/ends/close-log.js';
import { Connection } from '../../src/gateway/connection/connection.js';
import { encodePong } from '../../src/gateway/connection/socket/frame-encoder.js';
import { Reconnects } from '../../src/gateway/connection/counts/reconnects.js';
import { FrameInbox } from '../../src/gateway/connection/frame-inbox.js';
import { OutboundQueue } from '../../src/gateway/connection/socket/outbound-queue.js';
import { ReplayBuffer, ReplayBudget } from '../../src/gateway/delivery/replay-buffer.js';
import type { TailHost } from '../../src/gateway/delivery/replay-buffer.js';
import type { WardroomSocket } from '../../src/gateway/connection/socket/wardroom-socket.js';
import { CALLS_OF_A_TURN, CALLS_WAITING_MAX } from '../../src/platform/http/call-turns.js';
import { newId } from '../../src/platform/ids.js';
import type { TroubledClients } from '../../src/stats/troubled-clients.js';
import { Metrics } from '../../src/platform/metrics.js';
import type { Database } from '../../src/platform/stores/database.js';
import type { RoomEvent } from '../../src/rooms/events/room-event.js';
import { expectClosed, live, open } from '../protocol/harness.js';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const LAST_CALL = 'GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const FRAME_BYTES = 65_536;
const READ_BYTES = 65_536;
const PUBLISH_RATE = 20;
let node: NodeProcess;
let world: World;
let ada: SignedIn;
let room: string;

beforeAll(async () => {
  node = await startNode({
    MAX_FRAME_BYTES: String(FRAME_BYTES),
    PUBLISH_RATE: String(PUBLISH_RATE),
    FRAME_RATE: '0',
    AUTH_DEADLINE_MS: '60000',
  });
  world = await World.create({ base: node.url });
  ada = await world.user('ada');
  room = await world.room(ada);
});

const padded = (bytes: number, type = 'ping'): string =>
  JSON.stringify({ type, id: 'p' }).padEnd(bytes, ' ');

/** A socket whose kernel takes nothing after the first write. */
function stuckConnection(queueBytesMax: number): {
  connection: Connection;
  ended: () => string | null;
} {
  let code: string | null = null;
  const socket = {
    destroyed: false,
    bytesRead: 0,
    write: () => false,
    _write: () => undefined,
    on: () => socket,
    once: () => socket,
    destroy: () => undefined,
  };
  const ws = {
    on: () => ws,
    closeWith: () => undefined,
    terminate: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
  };
  const host = {
    isFenced: () => false,
    queueBytesMax,
    wantsFlush: () => undefined,
    onEnd: (_: Connection, why: string) => (code = why),
  };
  const connection = new Connection(
    ws as unknown as WardroomSocket,
    '127.0.0.1',
    undefined,
    socket as unknown as Socket,
    host,
    'header',
    null,
  );
  return { connection, ended: () => code };
}

function tailOf(budget: ReplayBudget, name: string): ReplayBuffer {
  return new ReplayBuffer(name, { tails: budget } as unknown as TailHost);
}

function fillTail(tail: ReplayBuffer, bytes: number, each: number): void {
  const frame = 'x'.repeat(each);
  for (let seq = 1; seq * 2 * each < bytes; seq += 1)
    tail.push({ room: 'r', seq, epoch: 1, mark: `${seq}`, prev: '', frame } satisfies RoomEvent);
}

const bytesOfTail = (tail: ReplayBuffer): number =>
  tail.all.reduce((sum, { frame }) => sum + 2 * frame.length, 0);

const DRIVES: Record<keyof typeof HELD_BYTES, () => Promise<void>> = {
  /** More than one network may have connections for: many come on one, before any is answered. */
  'calls that wait for their turn': async () => {
    const socket = connect(Number(new URL(node.url).port), '127.0.0.1').setEncoding('utf8');
    const calls = CALLS_WAITING_MAX + 200;
    socket.write(`${'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(calls - 1)}${LAST_CALL}`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    const count = (status: number) => text.split(`HTTP/1.1 ${status} `).length - 1;
    expect(count(200)).toBe(CALLS_OF_A_TURN + CALLS_WAITING_MAX);
    expect(count(503)).toBe(calls - count(200));
  },

  'first frame': async () => {
    const frame = (bytes: number) =>
      JSON.stringify({ type: 'auth', token: 'x' }).padEnd(bytes, ' ');
    const [fits, tooMuch] = [await open(node.wsUrl), await open(node.wsUrl)];
    fits.send(frame(LIMITS.authFrameBytes));
    await expectClosed(fits, 'auth_invalid');
    tooMuch.send(frame(LIMITS.authFrameBytes + 1));
    await expectClosed(tooMuch, 'auth_missing');
  },

  'frames while a credential is verified': async () => {
    // A ticket is looked up, so what comes with it in one packet is there before it is decided.
    const peer = async (last: number) => {
      const { ticket } = (await call(node.url, '/v1/auth/ticket', { token: ada.token, body: {} }))
        .body;
      const sizes = [8_192, LIMITS.waitingBytes - 8_192 + last];
      const more = Buffer.concat(sizes.map((bytes) => bytesOf(padded(bytes))));
      return RawSocket.open(node.url, { path: `/v1/ws?ticket=${ticket}`, more });
    };
    const fits = await peer(0);
    await fits.until(
      'both answers',
      ({ frames }) => frames.filter(({ type }) => type === 'pong').length === 2,
    );
    expect((await (await peer(1)).untilClosed()).reason).toMatchObject({ code: 'rate_limited' });
  },

  'frame that is not whole yet': async () => {
    const [fits, tooMuch] = [await live(node.wsUrl, ada.token), await live(node.wsUrl, ada.token)];
    fits.send(padded(FRAME_BYTES));
    await fits.next('pong');
    tooMuch.send(padded(FRAME_BYTES + 1));
    await expectClosed(tooMuch, 'too_big');
  },

  inbox: async () => {
    let paused = false;
    const inbox = new FrameInbox(
      { pause: () => (paused = true), resume: () => (paused = false) },
      FRAME_BYTES,
    );
    while (!paused) inbox.push(Buffer.alloc(1_024));
    // The library holds at most this by then: one read, and the frame that it completes.
    for (let bytes = 0; bytes < READ_BYTES; bytes += 1_024) inbox.push(Buffer.alloc(1_024));
    inbox.push(Buffer.alloc(FRAME_BYTES - 1_024));
    expect(inbox.bytes).toBeLessThanOrEqual(LIMITS.inboxBytes);
    expect(inbox.bytes).toBeGreaterThan(LIMITS.inboxBytes * 0.9);
  },

  outbox: async () => {
    const max = 100_000;
    const { connection, ended } = stuckConnection(max);
    let most = 0;
    for (let i = 0; i < 100_000 && ended() === null; i += 1) {
      most = connection.heldBytes;
      connection.queue(Buffer.alloc(1_000), null);
    }
    expect(ended()).toBe('slow_consumer');
    expect(most).toBeLessThanOrEqual(max * QUEUE_LIMITS_MAX);
    expect(most).toBeGreaterThan(max * QUEUE_LIMITS_MAX * 0.9);
  },

  'write under way': async () => {
    const queue = new OutboundQueue();
    for (let i = 0; i < 100; i += 1) queue.push(Buffer.alloc(10_000), null);
    expect(queue.take()!.length).toBeLessThanOrEqual(LIMITS.socketBytes);
    const large = new OutboundQueue();
    for (let i = 0; i < 3; i += 1) large.push(Buffer.alloc(LIMITS.socketBytes + 1), null);
    expect(large.take()!.length).toBe(LIMITS.socketBytes + 1);
  },

  pongs: async () => {
    const queue = new OutboundQueue();
    for (let i = 0; i < 10_000; i += 1) queue.setPong(encodePong(Buffer.alloc(125)));
    expect(queue.bytes).toBe(PONG_BYTES);
  },

  /** It takes what a kernel holds to fill one: driven, with its memory, in a file of its own. */
  replays: async () => {
    const driven = readFileSync(new URL('./one-connection.test.ts', import.meta.url), 'utf8');
    expect(driven).toContain("test('of clients that read nothing are not read for them");
  },

  'publishes that wait for their commit': async () => {
    const client = await live(node.wsUrl, ada.token);
    const body = 'x'.repeat(LIMITS.bodyBytes - 2);
    const beganMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => client.publish(room, body)),
    );
    const refilled = Math.ceil(((performance.now() - beganMs) / 1_000) * PUBLISH_RATE);
    const taken = answers.filter(({ type }) => type === 'ack').length;
    expect(taken).toBeGreaterThanOrEqual(3 * PUBLISH_RATE);
    expect(taken).toBeLessThanOrEqual(3 * PUBLISH_RATE + refilled);
    expect(new Set(answers.filter(({ type }) => type !== 'ack').map(({ code }) => code))).toEqual(
      new Set(['rate_limited']),
    );
  },

  'page of history': async () => {
    const client = await live(node.wsUrl, ada.token);
    const long = await world.room(ada);
    const bodies = Array.from({ length: 45 }, () => 'x'.repeat(LIMITS.bodyBytes - 2));
    for (let sent = 0; sent < bodies.length;) {
      const answer = await client.publish(long, bodies[sent]);
      if (answer.type === 'ack') sent += 1;
      else await new Promise((resolve) => setTimeout(resolve, answer.retry_after_ms));
    }
    const { body } = await call(node.url, `/v1/rooms/${long}/messages?limit=200`, {
      token: ada.token,
    });
    const bytes = JSON.stringify(body).length;
    expect(bytes).toBeGreaterThan(PAGE_BYTES * 0.9);
    expect(bytes).toBeLessThan(PAGE_BYTES + LIMITS.bodyBytes + 1_000);
  },

  'ends of connections that wait to be written': async () => {
    const metrics = { closesLost: { inc: () => (lost += 1) } };
    let lost = 0;
    const down = { hot: () => Promise.reject(new Error('away')) };
    const log = new CloseLog(
      {} as never,
      down as never,
      { id: newId() } as never,
      metrics as never,
    );
    const token = { principal: { tenantId: newId(), userId: newId(), sessionId: newId() } };
    const timeline = new Timeline();
    // As long as it gets: each event has a name of its own.
    for (let i = 0; i < 2 * EVENTS_MAX; i += 1) timeline.subscribed(2 ** 33, newId());
    const connection = {
      id: newId(),
      ip: 'f'.repeat(39),
      timeline,
      carrier: 'subprotocol',
      userAgent: 'x'.repeat(256),
      times: { openedMs: 0 },
      token: { ...token, expiresAtMs: 0 },
    } as unknown as Connection;
    for (let i = 0; i < CLOSES_WAITING_MAX + 5; i += 1)
      log.add(connection, { side: 'transport', code: 'half_open' });
    await log.flush();
    expect([log.size, lost]).toEqual([CLOSES_WAITING_MAX, 5]);
    // An end as it is kept, in two bytes a character.
    const bytesOf = (index: number) => 2 * JSON.stringify(log['waiting'][index]).length;
    const last = bytesOf(CLOSES_WAITING_MAX - 1);
    const timelines = TIMELINES_WAITING_MAX * (bytesOf(0) - last);
    expect(CLOSES_WAITING_MAX * last + timelines).toBeLessThan(
      HELD_BYTES['ends of connections that wait to be written'].bytes,
    );
  },

  'handshakes that may be reconnects': async () => {
    const metrics = new Metrics();
    // As while Postgres is away.
    const database = { hot: () => Promise.reject(new Error('away')) };
    const reconnects = new Reconnects(
      database as unknown as Database,
      metrics,
      null as unknown as TroubledClients,
    );
    for (let i = 0; i < RECONNECTS_WAITING_MAX + 5; i += 1)
      reconnects.note({ session: newId(), connection: newId(), user: newId() });
    const waiting = reconnects['waiting'];
    expect(waiting).toHaveLength(RECONNECTS_WAITING_MAX);
    const bytes = 2 * JSON.stringify(waiting[0]).length;
    expect(RECONNECTS_WAITING_MAX * bytes).toBeLessThan(
      HELD_BYTES['handshakes that may be reconnects'].bytes,
    );
  },

  'tail of a room': async () => {
    const tail = tailOf(new ReplayBudget(), 'r');
    fillTail(tail, 4 * ROOM_TAIL_BYTES, 5_000);
    expect(bytesOfTail(tail)).toBeLessThanOrEqual(ROOM_TAIL_BYTES);
    expect(bytesOfTail(tail)).toBeGreaterThan(ROOM_TAIL_BYTES * 0.9);
  },

  'tails of all rooms': async () => {
    const budget = new ReplayBudget();
    const tails = Array.from({ length: 100 }, (_, i) => tailOf(budget, `r${i}`));
    for (const tail of tails) fillTail(tail, 2 * ROOM_TAIL_BYTES, 5_000);
    const bytes = tails.reduce((sum, tail) => sum + bytesOfTail(tail), 0);
    expect(bytes).toBeLessThanOrEqual(NODE_TAILS_BYTES);
    expect(bytes).toBeGreaterThan(NODE_TAILS_BYTES * 0.9);
  },
};

test.each(Object.entries(DRIVES))(
  '%s: reaches its bound and stays within it',
  (_, drive) => drive(),
  60_000,
);
