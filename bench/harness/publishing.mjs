/**
 * The publishes of a run: in a closed loop or at a fixed rate, each tracked by its number -
 * expected, received, lost, duplicated, acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.mjs';
import { storeUsage, usageOf } from './usage.mjs';

const PUBLISHES_MAX = 4_000_000;
const MARK = '@@';
const DIGITS = 10;
const STALL_MS = 3_000;
const DRAIN_MS = 5_000;
const ASK_AGAIN_MS = 500;
const SEQ = '"seq":';

export class Publishing {
  published = 0;
  active = false;
  foreign = 0;
  unrecovered = 0;
  counts = zero();
  latency = new Histogram();
  ackLatency = new Histogram();

  constructor(load) {
    this.load = load;
    this.spec = load.spec;
    this.members = new Int32Array(load.spec.rooms);
    const size = load.spec.publishers > 0 ? PUBLISHES_MAX : 1;
    this.sentAt = new Float64Array(size);
    this.expected = new Int32Array(size);
    this.received = new Int32Array(size);
    this.acked = new Uint8Array(size);
    this.sender = new Int32Array(size);
    this.room = new Int32Array(size);
    this.padding = 'x'.repeat(load.spec.payload);
    this.ack = load.spec.ack === undefined ? undefined : new RegExp(load.spec.ack);
  }

  get publishers() {
    return this.load.connections.slice(this.spec.subscribers);
  }

  /** Warms up, measures, drains. */
  async run() {
    const { spec, publishers } = this;
    const pacing = this.start(publishers);
    await sleep(spec.warmSeconds * 1000);
    this.counts = zero();
    this.latency = new Histogram();
    this.ackLatency = new Histogram();
    const storesBefore = storeUsage(spec.stores);
    const [before, ownBefore, started] = [
      usageOf(spec.watch),
      process.cpuUsage(),
      performance.now(),
    ];
    await sleep(spec.seconds * 1000);
    const [after, own, seconds] = [
      usageOf(spec.watch),
      process.cpuUsage(ownBefore),
      (performance.now() - started) / 1000,
    ];
    const storesAfter = storeUsage(spec.stores);
    const { counts, latency, ackLatency } = this;
    this.latency = new Histogram();
    this.ackLatency = new Histogram();
    await this.stop(pacing);
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
      postgres_us_per_publish:
        ((storesAfter.postgresMs - storesBefore.postgresMs) * 1000) / Math.max(1, counts.published),
      redis_us_per_publish:
        ((storesAfter.redisMs - storesBefore.redisMs) * 1000) / Math.max(1, counts.published),
      server_cpu_percent: cpuMs / 10 / seconds,
      load_cpu_percent: (own.user + own.system) / 1e4 / seconds,
      latency_ms: latency.summary(),
      ack_ms: ackLatency.summary(),
      ...this.account(),
    };
  }

  start(publishers) {
    this.active = true;
    const { flood } = this.spec;
    for (let k = 0; k < flood; k += 1) this.publish(publishers[0], performance.now());
    if (this.spec.rate > 0) return this.pace(publishers.slice(flood > 0 ? 1 : 0));
    for (let k = 0; k < this.spec.window; k += 1)
      for (const publisher of publishers) this.publish(publisher, performance.now());
    return this.unstall(publishers);
  }

  async stop(pacing) {
    this.active = false;
    await pacing;
    await this.drain();
  }

  publish(client, dueAt) {
    const { recover } = this.spec;
    if ((!client.isReady && !recover) || this.published + 1 >= PUBLISHES_MAX) return;
    const seq = ++this.published;
    this.sender[seq] = client.index;
    const room = this.isFlood(seq) ? client.room : client.nextRoom();
    this.sentAt[seq] = dueAt;
    this.expected[seq] = recover ? this.load.assigned[room] : this.members[room];
    this.room[seq] = room;
    client.inFlight += 1;
    client.lastPublish = dueAt;
    this.counts.published += 1;
    if (client.isReady) this.send(client, seq);
  }

  send(client, seq) {
    const digits = String(seq).padStart(DIGITS, '0');
    const payload = (MARK + digits + MARK + this.padding).slice(0, this.spec.payload);
    client.send(
      client
        .fill(this.spec.publish, this.room[seq])
        .replaceAll('{seq}', digits)
        .replace('{pay}', payload),
    );
  }

  /**
   * After a reconnect, or a refusal for now: whatever has no answer is asked for again, by the same
   * name.
   */
  resend(client) {
    for (let seq = 1; seq <= this.published; seq += 1)
      if (this.acked[seq] === 0 && this.sender[seq] === client.index) this.send(client, seq);
  }

  /**
   * Busy-polls, so that a due message leaves within microseconds; its time is the moment it was
   * due.
   */
  async pace(publishers) {
    const started = performance.now();
    for (let k = 0; this.active;) {
      const now = performance.now();
      for (
        let due = started + (k * 1000) / this.spec.rate;
        due <= now;
        due = started + (k * 1000) / this.spec.rate
      ) {
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
        if (publisher.inFlight < this.spec.window || now - publisher.lastPublish < STALL_MS)
          continue;
        this.counts.stalls += 1;
        publisher.inFlight = 0;
        for (let k = 0; k < this.spec.window; k += 1) this.publish(publisher, now);
      }
    }
  }

  /** @param {Buffer} bytes of one frame's payload */
  onMessage(client, bytes, start, end, now) {
    const { tail, scan, payload, recover } = this.spec;
    if (scan) {
      for (
        let at = bytes.indexOf(MARK, start);
        at >= 0 && at < end;
        at = bytes.indexOf(MARK, at + payload)
      )
        this.onDelivery(bytes, at, now);
      this.counts.bytes += end - start;
      return;
    }
    const at = end - tail - payload;
    if (at >= start && bytes[at] === 64 && bytes[at + 1] === 64) {
      this.counts.bytes += end - start;
      if (recover)
        client.lastSeq = Number.parseInt(
          bytes.toString('latin1', bytes.indexOf(SEQ, start) + SEQ.length, at),
          10,
        );
      this.onDelivery(bytes, at, now);
    } else if (client.isPublisher && this.ack !== undefined)
      this.onAnswer(client, bytes.toString('latin1', start, end), now);
    else if (
      this.spec.ping !== undefined &&
      bytes.toString('latin1', start, end) === this.spec.ping
    )
      client.send(this.spec.pong);
  }

  /** Where a client that will continue starts from; and whether the server said that it can. */
  onSubscribed(client, text) {
    if (client.isPublisher) return;
    if (client.lastSeq < 0)
      client.lastSeq = Number.parseInt(text.slice(text.indexOf(SEQ) + SEQ.length), 10);
    else if (!text.includes('"recovered":true')) this.unrecovered += 1;
  }

  onDelivery(bytes, at, now) {
    let seq = 0;
    for (let i = at + MARK.length; i < at + MARK.length + DIGITS; i += 1)
      seq = seq * 10 + bytes[i] - 48;
    if (!(seq >= 1 && seq <= this.published)) {
      this.foreign += 1;
      return;
    }
    this.counts.deliveries += 1;
    if (!this.isFlood(seq)) this.latency.add(now - this.sentAt[seq]);
    if (this.sentAt[seq] < this.load.firstLoss) this.lastCaughtUp = now;
    if (++this.received[seq] === this.expected[seq] && this.spec.closeOn === 'delivery')
      this.completed(seq, now);
  }

  onAnswer(client, text, now) {
    const found = this.ack.exec(text);
    if (found === null) return this.onRefusal(client, text);
    const seq = Number(found[1]);
    if (this.acked[seq] === 1) this.counts.ackedTwice += 1;
    this.acked[seq] = 1;
    this.counts.acks += 1;
    if (!this.isFlood(seq)) this.ackLatency.add(now - this.sentAt[seq]);
    if (this.spec.closeOn === 'ack') this.completed(seq, now);
  }

  /**
   * Not stored, as the answer says: a publisher that needs every event stored sends it again at the
   * time it is given.
   */
  onRefusal(client, text) {
    this.load.firstError ??= text.slice(0, 200);
    this.counts.refused += 1;
    if (!this.spec.recover || !text.includes('"action":"retry"') || client.asksAgain) return;
    client.asksAgain = true;
    setTimeout(() => {
      client.asksAgain = false;
      if (client.isReady) this.resend(client);
    }, ASK_AGAIN_MS);
  }

  completed(seq, now) {
    const publisher = this.load.connections[this.sender[seq]];
    if (publisher.inFlight > 0) publisher.inFlight -= 1;
    const window = this.isFlood(seq)
      ? this.spec.flood
      : this.spec.rate === 0
        ? this.spec.window
        : 0;
    if (this.active && publisher.inFlight < window) this.publish(publisher, now);
  }

  /** The first publisher floods one room; the delay of the flood itself is not measured. */
  isFlood(seq) {
    return this.spec.flood > 0 && this.sender[seq] === this.spec.subscribers;
  }

  async drain() {
    for (let waited = 0; waited < DRAIN_MS; waited += 50) {
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
    const { foreign, unrecovered } = this;
    return {
      lost,
      duplicated,
      unacknowledged,
      stalls,
      refused,
      acked_twice: ackedTwice,
      foreign,
      unrecovered,
      first_error: this.load.firstError,
    };
  }
}

function zero() {
  return {
    published: 0,
    deliveries: 0,
    bytes: 0,
    reads: 0,
    acks: 0,
    stalls: 0,
    refused: 0,
    ackedTwice: 0,
  };
}
