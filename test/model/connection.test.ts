/**
 * A real `Connection` over a socket of ours, driven by random commands: what leaves the socket is
 * compared with a model of what may leave it at that moment. The clock is real; deadlines are far
 * away or past.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Connection } from '../../src/gateway/connection/connection.js';
import { encodeTextFrame } from '../../src/gateway/connection/socket/frame-encoder.js';
import { RoomKey } from '../../src/gateway/connection/socket/outbound-queue.js';
import type { WardroomSocket } from '../../src/gateway/connection/socket/wardroom-socket.js';
import { monotonicMs } from '../../src/platform/clock.js';
import { RUNS } from './runs.js';

const COMMANDS = [
  'room a',
  'room b',
  'room a now',
  'signal a',
  'own',
  'ping',
  'answer',
  'fence',
  'prove',
  'past deadline',
  'notice expiry',
  'renew',
  'fill',
  'drain',
  'turn',
  'revoke a',
  'wait for drain',
  'end',
] as const;
type Command = (typeof COMMANDS)[number];
type Kind = 'a' | 'b' | 'signal' | 'own' | 'answer';
type Done = (error?: Error | null) => void;
interface Sent {
  kind: Kind | 'goodbye';
  k: number;
}

const [roomA, roomB] = [new RoomKey(), new RoomKey()];
const signals = roomA.transient;
const QUEUE_BYTES_MAX = 1_000;
const HOLDS = /** Times the limit, whatever the socket does: connection.ts. */ 10;

class Machine {
  readonly socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    bytesRead: 0,
    write: (data: Buffer, done?: Done) => this.take(data, 'stream', done),
    _write: (data: Buffer, _encoding: string, done: Done) => this.take(data, 'below', done),
    destroy: (error: Error) => this.violations.push(`destroyed: ${error.message}`),
  });
  /** The kernel takes nothing: who wrote last waits. */
  private full = false;
  /** The stream holds the answer to the upgrade. */
  private corked = true;
  private unfinished: Done[] = [];
  readonly closes: { status: number; reason: string }[] = [];
  readonly sent: Sent[] = [];
  readonly pings = { asked: 0, sent: 0 };
  writes = 0;
  /** Frames that were handed over and not taken back, in order. */
  readonly expected: Sent[] = [];
  readonly violations: string[] = [];
  readonly waits: { settled: boolean }[] = [];
  fenced = false;
  ended = false;
  private count = 0;
  private dirty: Connection[] = [];
  readonly connection: Connection;

  constructor() {
    const ws = {
      readyState: 1,
      OPEN: 1,
      closeWith: (status: number, reason: string) => this.closes.push({ status, reason }),
      terminate: () => undefined,
    };
    const host = {
      isFenced: () => this.fenced,
      queueBytesMax: QUEUE_BYTES_MAX,
      wantsFlush: (connection: Connection) => this.dirty.push(connection),
      onEnd: () => (this.ended = true),
    };
    this.connection = new Connection(
      ws as unknown as WardroomSocket,
      '127.0.0.1',
      undefined,
      this.socket as unknown as Socket,
      host,
      'header',
      null,
    );
    this.connection.step('credential');
    this.accept();
  }

  /**
   * The frames that may leave the socket now, computed apart from the connection's own decision.
   */
  private get mayCarryRooms(): boolean {
    return (
      !this.ended &&
      !this.fenced &&
      this.connection.state === 'live' &&
      monotonicMs() < this.connection.token!.deadlineMs
    );
  }

  /** The stream tells in another turn that it is done, the socket below it at once. */
  private take(data: Buffer, way: 'stream' | 'below', done: Done | undefined): boolean {
    if (way === 'below' && this.corked) this.violations.push('overtook the answer to the upgrade');
    if (done !== undefined && way === 'stream') this.corked = true;
    if (done !== undefined && this.unfinished.length > 0)
      this.violations.push('a second write before the first was done');
    this.writes += 1;
    this.wrote(data);
    if (done !== undefined && (this.full || way === 'stream')) this.unfinished.push(done);
    else done?.();
    return true;
  }

  private finishWrites(): void {
    this.corked = false;
    for (const done of this.unfinished.splice(0)) done();
  }

  private wrote(data: Buffer): void {
    for (const frame of framesOf(data)) {
      if (frame === 'ping') {
        this.pings.sent += 1;
        continue;
      }
      if (frame.kind === 'goodbye' ? !this.ended : this.ended)
        this.violations.push(
          `${frame.kind} ${frame.k} left ${this.ended ? 'after' : 'before'} the end`,
        );
      if (frame.kind !== 'own' && frame.kind !== 'goodbye' && !this.mayCarryRooms)
        this.violations.push(`${frame.kind} ${frame.k} left without the right to`);
      this.sent.push(frame);
    }
  }

  private accept(): void {
    const principal = { userId: 'u', tenantId: 't', sessionId: 's' };
    this.connection.token = {
      principal,
      kid: 'k',
      jti: 'j',
      issuedAtMs: 0,
      expiresAtMs: 0,
      deadlineMs: monotonicMs() + 1e9,
    };
    this.connection.step('accepted');
  }

  /** `now`: as a fan-out does, queued only when it cannot be written at once. */
  private hand(kind: Kind, now = false): void {
    const frame: Sent = { kind, k: (this.count += 1) };
    const { state } = this.connection;
    if (state !== 'closing' && state !== 'closed') this.expected.push(frame);
    if (kind === 'own') this.connection.send({ type: 'pong', server_time_ms: frame.k });
    else if (kind === 'answer') this.connection.send({ type: 'ack', room: 'a', seq: frame.k });
    else {
      const buffer = encodeTextFrame(JSON.stringify({ room: kind, k: frame.k }));
      if (!now || !this.connection.writeNow(buffer))
        this.connection.queue(buffer, { a: roomA, b: roomB, signal: signals }[kind]);
    }
  }

  do(command: Command): void {
    const { connection } = this;
    switch (command) {
      case 'room a':
        return this.hand('a');
      case 'room b':
        return this.hand('b');
      case 'room a now':
        return this.hand('a', true);
      case 'signal a':
        return this.hand('signal');
      case 'own':
        return this.hand('own');
      case 'ping':
        if (this.ended) return;
        this.pings.asked += 1;
        return connection.ping();
      case 'answer':
        return this.hand('answer');
      case 'fence':
        this.fenced = true;
        return;
      case 'prove':
        this.fenced = false;
        this.takeBack('signal');
        return connection.resume();
      case 'past deadline':
        connection.token = { ...connection.token!, deadlineMs: monotonicMs() - 1 };
        return;
      case 'notice expiry':
        if (monotonicMs() >= connection.token!.deadlineMs) connection.step('expired');
        return;
      case 'renew':
        if (!connection.authenticated) return;
        this.accept();
        this.takeBack('signal');
        return connection.resume();
      case 'fill':
        this.full = true;
        return;
      case 'drain':
        this.full = false;
        return this.finishWrites();
      case 'turn':
        return this.turn();
      case 'revoke a': {
        connection.dropQueued(roomA);
        this.takeBack('a');
        return this.takeBack('signal');
      }
      case 'wait for drain': {
        const wait = { settled: false };
        this.waits.push(wait);
        void connection.drained().then(() => (wait.settled = true));
        return;
      }
      case 'end':
        return connection.end('restarting');
    }
  }

  /** Frames not written before are not expected any more. */
  private takeBack(kind: Kind): void {
    const left = new Set(this.sent.map(({ k }) => k));
    for (let i = this.expected.length - 1; i >= 0; i -= 1)
      if (this.expected[i]!.kind === kind && !left.has(this.expected[i]!.k))
        this.expected.splice(i, 1);
  }

  /** Connections that ask to be flushed. */
  get waiting(): number {
    return this.dirty.length;
  }

  turn(): void {
    for (const connection of this.dirty.splice(0)) connection.flush();
  }

  /** Authority, credential and peer are all back: what is left must go. */
  async finish(): Promise<void> {
    for (const command of ['prove', 'renew', 'drain', 'turn', 'drain', 'turn', 'drain'] as const)
      this.do(command);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function framesOf(data: Buffer): (Sent | 'ping')[] {
  const frames: (Sent | 'ping')[] = [];
  for (let at = 0; at < data.length;) {
    if (data[at] === 0x89) {
      expect(data[at + 1]).toBe(0);
      frames.push('ping');
      at += 2;
      continue;
    }
    expect(data[at]).toBe(0x81);
    const short = data[at + 1]!;
    const [from, length] = short < 126 ? [at + 2, short] : [at + 4, data.readUInt16BE(at + 2)];
    const frame = JSON.parse(data.toString('utf8', from, from + length));
    frames.push(
      frame.type === 'goodbye'
        ? { kind: 'goodbye', k: 0 }
        : frame.type === 'pong'
          ? { kind: 'own', k: frame.server_time_ms }
          : frame.type === 'ack'
            ? { kind: 'answer', k: frame.seq }
            : { kind: frame.room, k: frame.k },
    );
    at = from + length;
  }
  return frames;
}

const commands = fc.array(fc.constantFrom(...COMMANDS), { maxLength: 60 });
const held = (frames: readonly Sent[]) =>
  frames.filter(({ kind }) => kind === 'a' || kind === 'b' || kind === 'answer');
const own = (frames: readonly Sent[]) => frames.filter(({ kind }) => kind === 'own');

const property = (
  check: (machine: Machine, commands: Command[]) => Promise<void> | void,
  given = commands,
) =>
  fc.assert(
    fc.asyncProperty(given, async (script) => {
      const machine = new Machine();
      for (const command of script) machine.do(command);
      await machine.finish();
      await check(machine, script);
    }),
    { numRuns: RUNS },
  );

describe('frames that leave a connection', () => {
  test('nothing of a room while fenced, expired, past its deadline or after the end; after the end the goodbye alone', async () => {
    await property((machine) => {
      expect(machine.violations).toEqual([]);
      expect(machine.sent.filter(({ kind }) => kind === 'goodbye')).toHaveLength(
        machine.ended ? 1 : 0,
      );
      if (machine.ended) expect(machine.sent.at(-1)!.kind).toBe('goodbye');
      expect(machine.closes).toHaveLength(machine.ended ? 1 : 0);
    });
  });

  test('events of rooms arrive once and in order, however often they were held back, unless they were taken back', async () => {
    await property((machine) => {
      const got = held(machine.sent);
      const wanted = held(machine.expected);
      expect(got).toEqual(machine.ended ? wanted.slice(0, got.length) : wanted);
    });
  });

  test('words about the connection itself go out in order while room data is held', async () => {
    await property((machine) => {
      const got = own(machine.sent);
      const wanted = own(machine.expected);
      expect(got).toEqual(machine.ended ? wanted.slice(0, got.length) : wanted);
    });
    const machine = new Machine();
    for (const command of ['room a', 'fence', 'own', 'turn'] as const) machine.do(command);
    expect(machine.sent.map(({ kind }) => kind)).toEqual(['own']);
  });

  test('a ping goes out between whole frames, also while room data is held', async () => {
    await property(({ pings, ended }) => {
      if (ended) expect(pings.sent).toBeLessThanOrEqual(pings.asked);
      else expect(pings.sent).toBe(pings.asked);
    });
    const machine = new Machine();
    for (const command of ['room a', 'fence', 'ping', 'turn'] as const) machine.do(command);
    expect(machine.pings.sent).toBe(1);
    expect(machine.sent).toEqual([]);
  });

  test('a caller that waits for the queue to drain goes on when it has, or when the connection is over', async () => {
    await property((machine) => expect(machine.waits.every(({ settled }) => settled)).toBe(true));
    const machine = new Machine();
    for (const command of ['own', 'wait for drain', 'fence', 'turn'] as const) machine.do(command);
    await machine.finish();
    expect(machine.waits).toEqual([{ settled: true }]);
  });

  test('frames that came while the kernel was full leave once it has taken the last write, in one', () => {
    const machine = new Machine();
    for (const command of [
      'own',
      'turn',
      'drain',
      'fill',
      'room a now',
      'room a now',
      'own',
      'room b',
      'turn',
    ] as const)
      machine.do(command);
    expect(machine.sent).toHaveLength(2);
    machine.do('room a');
    expect(machine.waiting).toBe(0);
    for (const command of ['drain', 'turn'] as const) machine.do(command);
    expect(machine.sent).toEqual(machine.expected);
    expect(machine.writes).toBe(3);
  });

  test('nothing follows the close frame that answered a client: what waits is dropped, who waits goes on', async () => {
    const machine = new Machine();
    machine.do('room a');
    machine.connection.peerStatus = 1000;
    for (const command of ['wait for drain', 'room a now', 'turn'] as const) machine.do(command);
    expect(machine.sent).toEqual([]);
    expect(machine.connection.heldBytes).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(machine.waits).toEqual([{ settled: true }]);
  });

  test('a peer far behind is closed as slow_consumer instead of filling memory', async () => {
    const flood = fc.array(
      fc.constantFrom<Command>(
        'room a',
        'room b',
        'room a now',
        'answer',
        'turn',
        'fill',
        'fence',
        'fence',
      ),
      {
        minLength: 500,
        maxLength: 900,
      },
    );
    await fc.assert(
      fc.asyncProperty(flood, async (script) => {
        const machine = new Machine();
        let most = 0;
        for (const command of script) {
          machine.do(command);
          most = Math.max(most, machine.connection.heldBytes);
        }
        expect(most).toBeLessThanOrEqual(QUEUE_BYTES_MAX * HOLDS);
        await machine.finish();
        for (const { reason } of machine.closes)
          expect(JSON.parse(reason)).toMatchObject({ code: 'slow_consumer', action: 'reconnect' });
      }),
      { numRuns: 50 },
    );
  });
});
