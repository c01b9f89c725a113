/**
 * What does a change cost? Builds of this project, and bare `ws`, under the same load for a moment
 * each, in turn, over and over: a machine that drifts hits all alike, so a difference of a few per
 * cent shows where separate runs hide it. For one's own work; nothing is kept.
 *
 *   node bench/paired.mjs [--subscribers 1000] [--window 8] [--rounds 40] [--ms 200] PEER...
 *
 * A PEER is `ws-framed`, `ws-batched`, `ws-naive` or a folder with a built copy of the project. All
 * are compared with the first.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../scripts/lib/children.mjs';
import { freePort } from '../scripts/stores/machine.mjs';
import { Client } from './harness/client.mjs';
import { peers } from './harness/peers.mjs';
import { LOAD_CORE, pinned, startServer } from './harness/servers.mjs';
import { family, usageOf } from './harness/usage.mjs';
import { FIRST_PUBLISHER, minter, nodeCommand, nodeEnvironment, openWorld, pin } from './seed.mjs';

const PAYLOAD = 'x'.repeat(128);
const AT_ONCE = 100;
/** Presence has been told by then. */
const SETTLE_MS = 3_000;
const WARM_MS = 4_000;
const STUCK_MS = 5_000;

/** One server, its subscribers in one room and a publisher; what `Client` needs of a load. */
class Side {
  heard = 0;
  opening = 0;
  turnedAway = 0;
  firstError = null;
  costs = [];
  onHeard = null;
  onLost = null;

  constructor(name, { subscribers, window, ms }) {
    this.name = name;
    this.subscribers = subscribers;
    this.window = window;
    this.ms = ms;
    this.publishing = { counts: { reads: 0 }, onMessage: () => this.hear() };
  }

  /** Alone on stores of its own: a node that is not alone tells the others. */
  async open() {
    const bare = Object.hasOwn(peers, this.name);
    const { client, server } = peers[bare ? this.name : 'wardroom-signal'];
    const world = await openWorld();
    const mint = await minter(world);
    const port = await freePort();
    const ours = { ...nodeCommand(resolve(this.name)), env: nodeEnvironment(world, port) };
    const { pid } = await startServer(bare ? server({ port, world, flags: [] }) : ours, {
      port,
      dir: world.dir,
      name: 'side',
    });
    this.pids = family(pid);
    this.tokens = [
      ...Array.from({ length: this.subscribers }, (_, i) => mint(i)),
      mint(FIRST_PUBLISHER),
    ];
    this.spec = {
      ...client,
      subscribers: this.subscribers,
      publishers: 1,
      rooms: 1,
      users: 0,
      ports: [port],
    };
    this.text = client.publish.replace('{room}', 'room0').replace('{pay}', PAYLOAD);
    for (let from = 0; from <= this.subscribers; from += AT_ONCE) {
      const count = Math.min(AT_ONCE, this.subscribers + 1 - from);
      await new Promise((ready, failed) => {
        let left = count;
        this.onReady = (one) => {
          if (one.isPublisher) this.publisher = one;
          if ((left -= 1) === 0) ready();
        };
        this.onGone = (_, reason) => failed(new Error(`${this.name}: ${reason}`));
        for (let i = from; i < from + count; i += 1) new Client(this, i).connect();
      });
    }
    this.onGone = (_, reason) => this.onLost?.(reason);
  }

  hear() {
    this.heard += 1;
    if (this.heard % this.subscribers === 0) this.onHeard?.();
  }

  /** A closed loop for a moment. Answers to how many deliveries that were. */
  load(ms) {
    let sent = 0;
    this.heard = 0;
    return new Promise((done, failed) => {
      const stuck = setTimeout(
        () =>
          failed(
            new Error(
              `${this.name} is stuck: ${this.heard} of ${sent * this.subscribers} deliveries`,
            ),
          ),
        ms + STUCK_MS,
      );
      const until = performance.now() + ms;
      this.onLost = (reason) => failed(new Error(`${this.name}: ${reason}`));
      this.onHeard = () => {
        const complete = this.heard / this.subscribers;
        if (performance.now() < until)
          for (; sent - complete < this.window; sent += 1) this.publisher.send(this.text);
        else if (complete === sent) {
          this.onHeard = this.onLost = null;
          clearTimeout(stuck);
          done(sent * this.subscribers);
        }
      };
      this.onHeard();
    });
  }

  async sample() {
    const before = usageOf(this.pids).cpuMs;
    const deliveries = await this.load(this.ms);
    this.costs.push(((usageOf(this.pids).cpuMs - before) * 1000) / deliveries);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    subscribers: { type: 'string', default: '1000' },
    window: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '40' },
    ms: { type: 'string', default: '200' },
  },
});
const [subscribers, window, rounds, ms] = [
  values.subscribers,
  values.window,
  values.rounds,
  values.ms,
].map(Number);
stopOnSignals(() => console.error('\nInterrupted.'), 130);
if (pinned) pin(LOAD_CORE);
const sides = positionals.map((name) => new Side(name, { subscribers, window, ms }));
try {
  for (const side of sides) await side.open();
  await sleep(SETTLE_MS);
  for (const side of sides) await side.load(WARM_MS);
  for (let round = 0; round < rounds; round += 1) for (const side of sides) await side.sample();
  const at = (numbers, part) =>
    numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)];
  for (const { name, costs } of sides) {
    const ratios = costs.map((cost, i) => cost / sides[0].costs[i]);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => at(ratios, part).toFixed(3));
    console.log(
      `${name.padEnd(30)} ${at(costs, 0.5).toFixed(2)} CPU µs/delivery; ${middle} x the first, half of the rounds ${low}..${high}`,
    );
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
process.exit();
