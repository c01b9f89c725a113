/**
 * Load by clients of the SDK, for what depends on how they behave: a restart under all of them.
 * Same IPC as load.mjs. Events are published before, while and after the server is away; each has
 * to reach every subscriber of its room once.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { usageOf } from './usage.mjs';

const HALF_OPEN_MAX = 256;
const AROUND_RESTART_MS = 1_000;
const BACK_WITHIN_MS = 60_000;
const DRAIN_MS = 8_000;
const TICK_MS = 20;

/** Without compression, as browsers get it here too. */
class PlainSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { perMessageDeflate: false });
  }
}

process.once('message', ({ spec }) => {
  run(spec).then(
    (result) => process.send({ result }, () => process.disconnect()),
    (error) => process.send({ error: error.stack }, () => process.disconnect()),
  );
});
process.once('disconnect', () => process.exit());

async function run(spec) {
  const { WardroomClient } = await import(pathToFileURL(spec.sdk).href);
  const tokens = readFileSync(spec.tokens, 'utf8').trim().split('\n');
  const url = `http://127.0.0.1:${spec.ports[0]}`;
  const tally = {
    received: [],
    expected: [],
    acked: 0,
    refused: 0,
    unrecovered: 0,
    firstLoss: 0,
    lastBack: 0,
    lastCaughtUp: 0,
    error: null,
  };
  const open = (index) =>
    new WardroomClient({ url, getToken: () => tokens[index], webSocket: PlainSocket });
  const subscribers = Array.from({ length: spec.subscribers }, (_, i) =>
    follow(open(i), `room${i % spec.rooms}`, tally),
  );
  const assigned = new Int32Array(spec.rooms);
  for (let i = 0; i < spec.subscribers; i += 1) assigned[i % spec.rooms] += 1;
  const publishers = Array.from({ length: spec.publishers }, (_, i) => open(spec.subscribers + i));

  const before = usageOf(spec.watch);
  const connecting = performance.now();
  for (let i = 0; i < subscribers.length; i += HALF_OPEN_MAX)
    await Promise.all(subscribers.slice(i, i + HALF_OPEN_MAX).map((each) => each.start()));
  const connected = {
    connects_per_s: (subscribers.length * 1000) / (performance.now() - connecting),
    cpu_ms_per_connect: (usageOf(spec.watch).cpuMs - before.cpuMs) / subscribers.length,
  };
  await Promise.all(publishers.map((publisher) => publisher.connect()));

  const publishing = new AbortController();
  const published = publish(spec, publishers, assigned, tally, publishing.signal);
  await sleep(AROUND_RESTART_MS);
  process.send({ event: 'ready' });
  const deadline = performance.now() + BACK_WITHIN_MS;
  while (!(
    tally.firstLoss > 0 &&
    subscribers.every((each) => each.isBack) &&
    publishers.every(({ state }) => state === 'live')
  )) {
    if (performance.now() > deadline)
      throw new Error(
        `${subscribers.filter((each) => !each.isBack).length} clients are not back after ${BACK_WITHIN_MS / 1000} s`,
      );
    await sleep(5);
  }
  await sleep(AROUND_RESTART_MS);
  publishing.abort();
  const count = await published;
  const account = () => {
    let [lost, duplicated] = [0, 0];
    tally.expected.forEach((expected, n) =>
      tally.received[n] < expected
        ? (lost += expected - tally.received[n])
        : (duplicated += tally.received[n] - expected),
    );
    return {
      lost,
      duplicated,
      unacknowledged: count - tally.acked - tally.refused,
      refused: tally.refused,
      unrecovered: tally.unrecovered,
      first_error: tally.error,
    };
  };
  for (
    let waited = 0;
    waited < DRAIN_MS && account().lost + account().unacknowledged > 0;
    waited += 50
  )
    await sleep(50);
  const seconds = (until) => (until - tally.firstLoss) / 1000;
  return {
    subscribers: spec.subscribers,
    publishers: spec.publishers,
    ...connected,
    all_back_s: seconds(tally.lastBack),
    recovered_s: seconds(Math.max(tally.lastBack, tally.lastCaughtUp)),
    published: count,
    ...account(),
  };
}

/** One subscriber: what it heard, and whether it is subscribed after the loss of its connection. */
function follow(client, roomName, tally) {
  const room = client.room(roomName);
  const each = {
    isBack: false,
    start: async () => (await client.connect(), await room.subscribe()),
  };
  client.on('state', ({ state, previous }) => {
    if (previous !== 'live' || state === 'paused') return;
    each.isBack = false;
    tally.firstLoss ||= performance.now();
  });
  room.on('subscribed', ({ recovered }) => {
    if (tally.firstLoss === 0) return;
    each.isBack = true;
    tally.lastBack = performance.now();
    if (!recovered) tally.unrecovered += 1;
  });
  room.on('message', ({ body }) => {
    tally.received[body.n] += 1;
    if (tally.firstLoss > 0 && body.at < tally.firstLoss) tally.lastCaughtUp = performance.now();
  });
  return each;
}

/**
 * At a fixed rate, whatever the connections do: the SDK keeps what has no answer. @returns
 * {Promise<number>} how many
 */
async function publish({ rate, rooms }, publishers, assigned, tally, signal) {
  const started = performance.now();
  let n = 0;
  while (!signal.aborted) {
    for (; n < ((performance.now() - started) * rate) / 1000; n += 1) {
      const place = n % publishers.length;
      const owned = Math.ceil((rooms - place) / publishers.length);
      const room = place + (Math.floor(n / publishers.length) % owned) * publishers.length;
      tally.received[n] = 0;
      tally.expected[n] = assigned[room];
      const answered = publishers[place].room(`room${room}`).publish({ n, at: performance.now() });
      answered.then(
        () => (tally.acked += 1),
        (error) => {
          tally.refused += 1;
          tally.error ??= error.message;
        },
      );
    }
    await sleep(TICK_MS);
  }
  return n;
}
