/**
 * The load generator: a process of its own, raw sockets, one shared read buffer. It opens
 * subscribers and publishers, brings each to `ready` by a small script, then publishes
 * (publishing.mjs), stands idle, has sessions ended (ending.mjs), or waits for a restart.
 *
 * Takes one message `{ spec }` over IPC and answers `{ result }`; in between `{ event: 'ready' }`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, RETRY_AFTER_MS } from './client.mjs';
import { endSessions } from './ending.mjs';
import { openAndRest } from './resting.mjs';
import { Publishing } from './publishing.mjs';
import { usageOf } from './usage.mjs';

const HALF_OPEN_MAX = 256;
const OPEN_WITHIN_MS = 60_000;
const RECONNECT_WITHIN_MS = 200;
const TRY_AGAIN_LATER = 1013;
/**
 * A server that is overloaded says so (503 at the handshake, `retry` or close 1013 after it): it is
 * asked again, and how often is reported.
 */
const ATTEMPTS_MAX = 40;
/** Publishing goes on so long before a server is killed and after everybody is back. */
const AROUND_RESTART_MS = 1_000;

/** @typedef {{ send?: string, expect?: string }[]} Script */

process.once('message', ({ spec }) => {
  new Load(spec).run().then(
    (result) => process.send({ result }, () => process.disconnect()),
    (error) => process.send({ error: error.stack }, () => process.disconnect()),
  );
});
process.once('disconnect', () => process.exit());

class Load {
  ready = 0;
  opening = 0;
  failed = 0;
  firstError = null;
  turnedAway = 0;
  retries = 0;
  lostConnections = 0;
  firstLoss = 0;
  lastReady = 0;
  closes = {};

  constructor(spec) {
    this.spec = spec;
    this.tokens = readFileSync(spec.tokens, 'utf8').trim().split('\n');
    const count = spec.subscribers + spec.publishers;
    this.connections = Array.from({ length: count }, (_, index) => new Client(this, index));
    this.publishing = new Publishing(this);
    this.assigned = new Int32Array(spec.rooms);
    for (const { room } of this.connections.slice(0, spec.subscribers)) this.assigned[room] += 1;
  }

  async run() {
    const { spec } = this;
    const result = { subscribers: spec.subscribers, publishers: spec.publishers };
    const before = usageOf(spec.watch);
    const connecting = performance.now();
    if (spec.holdMs > 0) Object.assign(result, await openAndRest(this));
    else await this.open(0, spec.subscribers);
    const connected = usageOf(spec.watch);
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
    if (spec.publish !== undefined && spec.seconds > 0)
      Object.assign(result, await this.publishing.run());
    if (spec.ends !== undefined) Object.assign(result, await endSessions(this));
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
        reject(
          new Error(
            `${this.ready} of ${to} are ready after ${OPEN_WITHIN_MS / 1000} s; one waits in step ${waiting?.step} (${waiting?.heard})`,
          ),
        );
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

  /**
   * A server that dies and comes back; where it keeps messages, publishing goes on and nothing may
   * be lost.
   */
  async restarting() {
    const { publishing } = this;
    const { recover } = this.spec;
    const pacing = recover ? publishing.start(publishing.publishers) : undefined;
    if (recover) await sleep(AROUND_RESTART_MS);
    this.reconnecting = true;
    process.send({ event: 'ready' });
    while (this.firstLoss === 0 || this.ready < this.connections.length) await sleep(5);
    const back = { all_back_s: (this.lastReady - this.firstLoss) / 1000, retries: this.retries };
    if (!recover) return back;
    await sleep(AROUND_RESTART_MS);
    await publishing.stop(pacing);
    const lastCaughtUp = Math.max(this.lastReady, publishing.lastCaughtUp ?? 0);
    return {
      ...back,
      recovered_s: (lastCaughtUp - this.firstLoss) / 1000,
      published: publishing.published,
      ...publishing.account(),
    };
  }

  // ---- what clients report

  onReady(client) {
    this.ready += 1;
    this.opening -= 1;
    this.lastReady = performance.now();
    if (!client.isPublisher) this.publishing.members[client.room] += 1;
    else if (this.spec.recover) this.publishing.resend(client);
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
      if (!client.isPublisher) this.publishing.members[client.room] -= 1;
      client.onClosed?.();
      client.onClosed = null;
    } else {
      this.opening -= 1;
      if (this.reconnecting) this.retries += 1;
      else if (
        (client.turnedAway || client.closeCode === TRY_AGAIN_LATER) &&
        (client.attempts += 1) <= ATTEMPTS_MAX
      ) {
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
}
