/**
 * The load generator: a process of its own, raw sockets, one shared read buffer. It opens subscribers and publishers, brings
 * each to `ready` by a small script, then publishes (closed loop or at a fixed rate), stands idle, has sessions ended, or
 * waits for a restart. Every publish is tracked by its number: expected, received, lost, duplicated.
 *
 * Takes one message `{ spec }` over IPC and answers `{ result }`; in between `{ event: 'ready' }`.
 * Frames are masked with a key of zeros: a server cannot tell, and the generator is spared the work.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.mjs';

const READ = Buffer.allocUnsafeSlow(256 * 1024);
const PUBLISHES_MAX = 4_000_000;
const MARK = '@@';
const DIGITS = 10;
const HALF_OPEN_MAX = 256;
const STALL_MS = 3_000;
const OPEN_WITHIN_MS = 60_000;
const RECONNECT_WITHIN_MS = 200;
const TRY_AGAIN_LATER = 1013;
/** A server that is overloaded says so (503 at the handshake, `retry` or close 1013 after it): it is asked again, and how often is reported. */
const ATTEMPTS_MAX = 40;
const RETRY_AFTER_MS = 250;

/** @typedef {{ send?: string, expect?: string }[]} Script */

process.once('message', ({ spec }) => {
  new Load(spec).run().then(
    (result) => process.send({ result }, () => process.disconnect()),
    (error) => process.send({ error: error.stack }, () => process.disconnect()),
  );
});
process.once('disconnect', () => process.exit());

class Load {
  constructor(spec) {
    this.spec = spec;
    this.tokens = readFileSync(spec.tokens, 'utf8').trim().split('\n');
    const count = spec.subscribers + spec.publishers;
    this.connections = Array.from({ length: count }, (_, index) => new Client(this, index));
    this.members = new Int32Array(spec.rooms);
    this.ready = 0;
    this.opening = 0;
    this.failed = 0;
    this.firstError = null;
    this.turnedAway = 0;
    this.retries = 0;
    this.published = 0;
    this.sentAt = new Float64Array(PUBLISHES_MAX);
    this.expected = new Int32Array(PUBLISHES_MAX);
    this.received = new Int32Array(PUBLISHES_MAX);
    this.acked = new Uint8Array(PUBLISHES_MAX);
    this.sender = new Int32Array(PUBLISHES_MAX);
    this.latency = new Histogram();
    this.ackLatency = new Histogram();
    this.counts = zero();
    this.foreign = 0;
    this.lostConnections = 0;
    this.firstLoss = 0;
    this.lastReady = 0;
    this.closes = {};
    this.padding = 'x'.repeat(spec.payload);
    this.ack = spec.ack === undefined ? undefined : new RegExp(spec.ack);
  }

  async run() {
    const { spec } = this;
    const result = { subscribers: spec.subscribers, publishers: spec.publishers };
    const before = this.usage(true);
    const connecting = performance.now();
    await this.open(0, spec.subscribers);
    const connected = this.usage(false);
    const connectSeconds = (this.lastReady - connecting) / 1000;
    Object.assign(result, {
      ready: this.ready,
      failed: this.failed,
      error: this.firstError,
      connects_per_s: this.ready / connectSeconds,
      cpu_ms_per_connect: (connected.cpuMs - before.cpuMs) / Math.max(1, this.ready),
    });
    if (this.failed > 0) throw new Error(`${this.failed} connections failed: ${this.firstError}`);
    await this.open(spec.subscribers, this.connections.length);
    if (this.failed > 0) throw new Error(`${this.failed} publishers failed: ${this.firstError}`);
    await sleep(spec.settleMs);
    if (spec.holdMs > 0) {
      await sleep(spec.holdMs);
      const after = this.usage(true);
      Object.assign(result, { pss_kib_before: before.pssKib, pss_kib_after: after.pssKib, kib_per_connection: (after.pssKib - before.pssKib) / this.ready });
    }
    if (spec.publish !== undefined && spec.seconds > 0) Object.assign(result, await this.publishing());
    if (spec.ends !== undefined) Object.assign(result, await this.ending());
    if (spec.restart) Object.assign(result, await this.restarting());
    result.turned_away = this.turnedAway;
    result.lost_connections = this.lostConnections;
    result.closes = this.closes;
    for (const client of this.connections) client.socket?.resetAndDestroy();
    return result;
  }

  /** Opens clients from..to, so many at a time; resolves when each is ready or failed. */
  open(from, to) {
    return new Promise((resolve, reject) => {
      let next = from;
      const timer = setTimeout(() => {
        const waiting = this.connections.slice(from, to).find((client) => !client.isReady);
        reject(new Error(`${this.ready} of ${to} are ready after ${OPEN_WITHIN_MS / 1000} s; one waits in step ${waiting?.step} (${waiting?.heard})`));
      }, OPEN_WITHIN_MS);
      this.onSettled = () => {
        while (this.opening < HALF_OPEN_MAX && next < to) this.connections[next++].connect();
        if (this.ready + this.failed < to) return;
        clearTimeout(timer);
        resolve();
      };
      this.onSettled();
    });
  }

  // ---- publishing

  async publishing() {
    const { spec } = this;
    const publishers = this.connections.slice(spec.subscribers);
    this.active = true;
    if (spec.rate === 0) for (let k = 0; k < spec.window; k += 1) for (const publisher of publishers) this.publish(publisher, performance.now());
    const pacing = spec.rate === 0 ? this.unstall(publishers) : this.pace(publishers);
    await sleep(spec.warmSeconds * 1000);
    this.counts = zero();
    this.latency = new Histogram();
    this.ackLatency = new Histogram();
    const [before, ownBefore, started] = [this.usage(false), process.cpuUsage(), performance.now()];
    await sleep(spec.seconds * 1000);
    const [after, own, seconds] = [this.usage(false), process.cpuUsage(ownBefore), (performance.now() - started) / 1000];
    const { counts, latency, ackLatency } = this;
    this.latency = new Histogram();
    this.ackLatency = new Histogram();
    this.active = false;
    await pacing;
    await this.drain();
    const cpuMs = after.cpuMs - before.cpuMs;
    return {
      seconds,
      published: counts.published,
      deliveries: counts.deliveries,
      deliveries_per_s: counts.deliveries / seconds,
      bytes_per_delivery: counts.bytes / Math.max(1, counts.deliveries),
      messages_per_read: counts.deliveries / Math.max(1, counts.reads),
      acks_per_s: counts.acks / seconds,
      cpu_us_per_delivery: (cpuMs * 1000) / Math.max(1, counts.deliveries),
      cpu_us_per_publish: (cpuMs * 1000) / Math.max(1, counts.published),
      server_cpu_percent: cpuMs / 10 / seconds,
      load_cpu_percent: (own.user + own.system) / 1e4 / seconds,
      latency_ms: latency.summary(),
      ack_ms: ackLatency.summary(),
      ...this.account(),
    };
  }

  publish(client, dueAt) {
    if (!client.isReady || this.published + 1 >= PUBLISHES_MAX) return;
    const seq = ++this.published;
    const room = client.nextRoom();
    this.sentAt[seq] = dueAt;
    this.expected[seq] = this.members[room];
    this.sender[seq] = client.index;
    client.inFlight += 1;
    client.lastPublish = dueAt;
    this.counts.published += 1;
    const digits = String(seq).padStart(DIGITS, '0');
    const payload = (MARK + digits + MARK + this.padding).slice(0, this.spec.payload);
    client.send(client.fill(this.spec.publish, room).replaceAll('{seq}', digits).replace('{pay}', payload));
  }

  /** Busy-polls, so that a due message leaves within microseconds; its time is the moment it was due. */
  async pace(publishers) {
    const started = performance.now();
    for (let k = 0; this.active;) {
      const now = performance.now();
      for (let due = started + (k * 1000) / this.spec.rate; due <= now; due = started + (k * 1000) / this.spec.rate) {
        this.publish(publishers[k % publishers.length], due);
        k += 1;
      }
      await new Promise(setImmediate);
    }
  }

  /** A lost message must not stop a closed loop for ever. */
  async unstall(publishers) {
    while (this.active) {
      await sleep(200);
      const now = performance.now();
      for (const publisher of publishers) {
        if (publisher.inFlight < this.spec.window || now - publisher.lastPublish < STALL_MS) continue;
        this.counts.stalls += 1;
        publisher.inFlight = 0;
        for (let k = 0; k < this.spec.window; k += 1) this.publish(publisher, now);
      }
    }
  }

  /** @param {Buffer} bytes of one frame's payload */
  onMessage(client, bytes, start, end, now) {
    const { tail, scan, payload } = this.spec;
    if (scan) {
      for (let at = bytes.indexOf(MARK, start); at >= 0 && at < end; at = bytes.indexOf(MARK, at + payload)) this.onDelivery(client, bytes, at, now);
      this.counts.bytes += end - start;
      return;
    }
    const at = end - tail - payload;
    if (at >= start && bytes[at] === 64 && bytes[at + 1] === 64) {
      this.counts.bytes += end - start;
      this.onDelivery(client, bytes, at, now);
    } else if (client.isPublisher && this.ack !== undefined) this.onAnswer(client, bytes.latin1Slice(start, end), now);
    else if (this.spec.ping !== undefined && bytes.latin1Slice(start, end) === this.spec.ping) client.send(this.spec.pong);
  }

  onDelivery(client, bytes, at, now) {
    let seq = 0;
    for (let i = at + MARK.length; i < at + MARK.length + DIGITS; i += 1) seq = seq * 10 + bytes[i] - 48;
    if (!(seq >= 1 && seq <= this.published)) {
      this.foreign += 1;
      return;
    }
    this.counts.deliveries += 1;
    this.latency.add(now - this.sentAt[seq]);
    if (++this.received[seq] === this.expected[seq] && this.spec.closeOn === 'delivery') this.completed(seq, now);
  }

  onAnswer(client, text, now) {
    const found = this.ack.exec(text);
    if (found === null) {
      this.firstError ??= text.slice(0, 200);
      this.counts.refused += 1;
      return;
    }
    const seq = Number(found[1]);
    if (this.acked[seq] === 1) this.counts.ackedTwice += 1;
    this.acked[seq] = 1;
    this.counts.acks += 1;
    this.ackLatency.add(now - this.sentAt[seq]);
    if (this.spec.closeOn === 'ack') this.completed(seq, now);
  }

  completed(seq, now) {
    const publisher = this.connections[this.sender[seq]];
    if (publisher.inFlight > 0) publisher.inFlight -= 1;
    if (this.active && this.spec.rate === 0 && publisher.inFlight < this.spec.window) this.publish(publisher, now);
  }

  async drain() {
    for (let waited = 0; waited < 5_000; waited += 50) {
      const { lost, unacknowledged } = this.account();
      if (lost === 0 && unacknowledged === 0) return;
      await sleep(50);
    }
  }

  account() {
    let [lost, duplicated, unacknowledged] = [0, 0, 0];
    for (let seq = 1; seq <= this.published; seq += 1) {
      const difference = this.expected[seq] - this.received[seq];
      if (difference > 0) lost += difference;
      else duplicated -= difference;
      if (this.ack !== undefined && this.acked[seq] === 0) unacknowledged += 1;
    }
    const { stalls, refused, ackedTwice } = this.counts;
    return { lost, duplicated, unacknowledged, stalls, refused, acked_twice: ackedTwice, foreign: this.foreign, first_error: this.firstError };
  }

  // ---- sessions ended by a call

  /** One call after the other; from the moment it is sent until each of the session's sockets has seen its close frame (or the end). */
  async ending() {
    const [each, last, answered] = [new Histogram(), new Histogram(), new Histogram()];
    let missed = 0;
    for (const { user, request } of this.spec.ends) {
      const mine = this.connections.filter((client) => client.isReady && client.index % this.spec.users === user);
      let open = mine.length;
      const started = performance.now();
      const closed = new Promise((resolve) => {
        for (const client of mine) {
          client.onClosed = () => {
            each.add(performance.now() - started);
            if (--open > 0) return;
            last.add(performance.now() - started);
            resolve();
          };
        }
      });
      const answer = this.call(request).then(() => answered.add(performance.now() - started));
      await Promise.race([Promise.all([closed, answer]), sleep(5_000)]);
      missed += open;
      await sleep(50);
    }
    return { each_close_ms: each.summary(), last_close_ms: last.summary(), answer_ms: answered.summary(), sockets_missed: missed };
  }

  call(request) {
    this.http ??= connect({ port: this.spec.ports[0], host: '127.0.0.1', noDelay: true });
    return new Promise((resolve) => {
      this.http.once('data', (text) => {
        if (!/^HTTP\/1.1 20\d/.test(text.latin1Slice(0, Math.min(16, text.length)))) this.firstError ??= text.latin1Slice(0, Math.min(300, text.length));
        resolve();
      });
      this.http.write(request);
    });
  }

  // ---- a server that dies and comes back

  async restarting() {
    this.reconnecting = true;
    process.send({ event: 'ready' });
    while (this.firstLoss === 0 || this.ready < this.connections.length) await sleep(5);
    return { all_back_s: (this.lastReady - this.firstLoss) / 1000, retries: this.retries };
  }

  // ---- what clients report

  onReady(client) {
    this.ready += 1;
    this.opening -= 1;
    this.lastReady = performance.now();
    if (!client.isPublisher) this.members[client.room] += 1;
    this.onSettled();
  }

  onGone(client, reason) {
    const wasReady = client.isReady;
    client.isReady = false;
    if (wasReady) {
      if (this.opening > 0 && !this.reconnecting) {
        this.failed += 1;
        this.firstError = `a ready connection was lost: ${reason}`;
      }
      this.firstLoss ||= performance.now();
      this.ready -= 1;
      this.lostConnections += 1;
      this.closes[client.closeCode] = (this.closes[client.closeCode] ?? 0) + 1;
      if (!client.isPublisher) this.members[client.room] -= 1;
      client.onClosed?.();
      client.onClosed = null;
    } else {
      this.opening -= 1;
      if (this.reconnecting) this.retries += 1;
      else if ((client.turnedAway || client.closeCode === TRY_AGAIN_LATER) && (client.attempts += 1) <= ATTEMPTS_MAX) {
        this.turnedAway += 1;
        setTimeout(() => client.connect(), RETRY_AFTER_MS);
        return;
      } else {
        this.failed += 1;
        this.firstError ??= reason;
      }
    }
    if (this.reconnecting) setTimeout(() => client.connect(), Math.random() * RECONNECT_WITHIN_MS);
    else this.onSettled();
  }

  /** CPU of the server processes, all threads, user and kernel; and their memory, where asked for. Linux only. */
  usage(memory) {
    let [cpuMs, pssKib] = [0, 0];
    for (const pid of this.spec.watch) {
      try {
        for (const thread of readdirSync(`/proc/${pid}/task`))
          cpuMs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
        if (memory) pssKib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
      } catch {
        // a server that was killed on purpose
      }
    }
    return { cpuMs, pssKib };
  }
}

/** One WebSocket, parsed just far enough to find its messages. */
class Client {
  isReady = false;
  inFlight = 0;
  lastPublish = 0;
  closeCode = 0;
  turnedAway = false;
  attempts = 0;
  heard = '';
  onClosed = null;
  step = 0;
  rest = null;
  upgraded = false;
  turn = 0;

  constructor(load, index) {
    this.load = load;
    this.index = index;
    const { subscribers, publishers, rooms } = load.spec;
    this.isPublisher = index >= subscribers;
    const place = this.isPublisher ? index - subscribers : index;
    this.room = place % rooms;
    this.owned = this.isPublisher && publishers < rooms ? Math.floor((rooms - 1 - place) / publishers) + 1 : 1;
  }

  /** Publishers own every `publishers`-th room and take them in turn. */
  nextRoom() {
    const { subscribers, publishers } = this.load.spec;
    if (this.owned === 1) return this.room;
    const room = this.index - subscribers + this.turn * publishers;
    this.turn = (this.turn + 1) % this.owned;
    return room;
  }

  get script() {
    return this.isPublisher ? this.load.spec.publisherScript : this.load.spec.subscriberScript;
  }

  fill(template, room) {
    const { tokens, spec } = this.load;
    return template.replaceAll('{room}', `room${room}`).replace('{token}', () => tokens[spec.users > 0 ? this.index % spec.users : this.index]);
  }

  connect() {
    const { spec } = this.load;
    this.load.opening += 1;
    Object.assign(this, { step: 0, rest: null, upgraded: false, closeCode: 0, turnedAway: false });
    const socket = connect({
      port: spec.ports[this.isPublisher ? 0 : this.index % spec.ports.length],
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: READ,
        callback: (length, buffer) => {
          this.read(buffer, length);
          return true;
        },
      },
    });
    this.socket = socket;
    let reason = 'closed';
    socket.on('error', (error) => (reason = error.message));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.socket === socket) this.load.onGone(this, `step ${this.step}: ${reason} ${this.closeCode || ''}`);
    });
    socket.on('connect', () => {
      const headers = spec.headers.map((header) => `${this.fill(header, this.room)}\r\n`).join('');
      socket.write(
        `GET ${this.fill(spec.path, this.room)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
      );
    });
  }

  read(buffer, length) {
    const now = performance.now();
    let bytes = buffer;
    let end = length;
    if (this.rest !== null) {
      bytes = Buffer.concat([this.rest, buffer.subarray(0, length)]);
      end = bytes.length;
      this.rest = null;
    }
    let at = 0;
    if (!this.upgraded) {
      const head = bytes.subarray(0, end).indexOf('\r\n\r\n');
      if (head < 0) {
        this.rest = Buffer.from(bytes.subarray(0, end));
        return;
      }
      const status = bytes.latin1Slice(0, Math.min(12, end));
      if (status !== 'HTTP/1.1 101') {
        this.turnedAway = status === 'HTTP/1.1 503';
        this.load.firstError ??= bytes.latin1Slice(0, Math.min(end, 300));
        this.socket.destroy();
        return;
      }
      this.upgraded = true;
      at = head + 4;
      this.advance();
    }
    this.load.counts.reads += 1;
    while (end - at >= 2) {
      const opcode = bytes[at] & 15;
      let size = bytes[at + 1] & 127;
      let start = at + 2;
      if (size === 126) {
        if (end - at < 4) break;
        size = bytes[at + 2] * 256 + bytes[at + 3];
        start = at + 4;
      } else if (size === 127) {
        if (end - at < 10) break;
        size = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (end - start < size) break;
      at = start + size;
      if (opcode === 1 || opcode === 2) {
        if (this.isReady) this.load.onMessage(this, bytes, start, at, now);
        else this.hear(bytes.latin1Slice(start, at));
      } else if (opcode === 8) {
        this.closeCode = size >= 2 ? bytes.readUInt16BE(start) : 1005;
        this.onClosed?.();
        this.onClosed = null;
        this.write(8, Buffer.from(bytes.subarray(start, Math.min(at, start + 2))));
      } else if (opcode === 9) this.write(10, bytes.subarray(start, at));
    }
    if (at < end) this.rest = Buffer.from(bytes.subarray(at, end));
  }

  hear(text) {
    if (this.load.spec.ping !== undefined && text === this.load.spec.ping) return this.send(this.load.spec.pong);
    this.heard = text.slice(0, 200);
    if (text.startsWith('{"type":"error"') && text.includes('"action":"retry"')) {
      this.load.turnedAway += 1;
      this.step -= 1;
      setTimeout(() => this.advance(), RETRY_AFTER_MS);
      return;
    }
    if (!text.includes(this.script[this.step]?.expect)) return;
    this.step += 1;
    this.advance();
  }

  advance() {
    for (; this.step < this.script.length && this.script[this.step].send !== undefined; this.step += 1)
      this.send(this.fill(this.script[this.step].send, this.room));
    if (this.step < this.script.length || this.isReady) return;
    this.isReady = true;
    this.load.onReady(this);
  }

  send(text) {
    this.write(this.load.spec.binary ? 2 : 1, Buffer.from(text, 'latin1'));
  }

  write(opcode, payload) {
    const { length } = payload;
    const header = length < 126 ? 6 : 8;
    const frame = Buffer.alloc(header + length);
    frame[0] = 0x80 | opcode;
    if (header === 6) frame[1] = 0x80 | length;
    else {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    }
    payload.copy(frame, header);
    this.socket.write(frame);
  }
}

function zero() {
  return { published: 0, deliveries: 0, bytes: 0, reads: 0, acks: 0, stalls: 0, refused: 0, ackedTwice: 0 };
}
