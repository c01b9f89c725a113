/** A real `Connection` over a socket of ours, and what may leave it at each moment. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from '@jest/globals';
import { Connection } from '../../src/gateway/connection/connection.js';
import { encodeTextFrame } from '../../src/gateway/connection/socket/frame-encoder.js';
import { RoomKey } from '../../src/gateway/connection/socket/outbound-queue.js';
import type { WardroomSocket } from '../../src/gateway/connection/socket/wardroom-socket.js';
import { monotonicMs } from '../../src/platform/clock.js';

export const COMMANDS = [
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
export type Command = (typeof COMMANDS)[number];
type Kind = 'a' | 'b' | 'signal' | 'own' | 'answer';
type Done = (error?: Error | null) => void;
export interface Sent {
  kind: Kind | 'goodbye';
  k: number;
}

const [roomA, roomB] = [new RoomKey(), new RoomKey()];
const signals = roomA.transient;
export const QUEUE_BYTES_MAX = 1_000;
export const HOLDS = /** Times the limit, whatever the socket does: connection.ts. */ 10;

export class Machine {
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
