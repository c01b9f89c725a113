/**
 * The drills in a form that any room server can be put through: see docs/field.md for the rules. A
 * trial measures, and its rule is the same for every server.
 *
 * A verdict is `passed`, `untold` (what has to stop stops, and the client is not told in time) or
 * `failed`.
 *
 * @typedef {import('./adapters/adapter.mjs').FieldServer} FieldServer
 * @typedef {import('./adapters/adapter.mjs').Client} Client
 * @typedef {typeof TIMING} Timing
 * @typedef {{ verdict: 'passed' | 'untold' | 'failed', figures: Record<string, number | boolean |
 * string | null> }} Outcome
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOf } from './adapters/adapter.mjs';
import { silentLine } from './silent-line.mjs';

export const TIMING = {
  /** Between two messages of the person who talks. */
  everyMs: 25,
  /** The shortest life of a token that every server of the field can give. */
  tokenSeconds: 5,
  /** How long a trial looks on after the end. */
  watchMs: 2_500,
  /** The same after an idle token: longer than the intervals at which servers look. */
  idleWatchMs: 35_000,
  /** Within it a client has to be told, and an expiry to be noticed. */
  boundMs: 1_000,
  /** Within it a peer that fell silent has to be let go. */
  silenceMs: 75_000,
  /** The last message may be on its way as long as this. */
  settleMs: 300,
};
/** Two clocks differ by it: that of a token has seconds, that of a timer milliseconds. */
const CLOCK_MS = 20;
const RACES = 6;
const RACE_STEP_MS = 4;

/** A person in a room, who talks until told to stop: each message is known by its number. */
class Talk {
  sentAt = [];
  /** @type {Promise<import('./adapters/adapter.mjs').Answer>[]} */
  answers = [];

  /** @param {Client} client @param {string} room @param {Timing} timing */
  constructor(client, room, { everyMs, settleMs }, prefix = 't') {
    this.prefix = prefix;
    this.settleMs = settleMs;
    this.timer = setInterval(() => {
      const n = this.sentAt.push(performance.now()) - 1;
      this.answers.push(client.publish(room, `${prefix}${n}`, randomUUID()));
    }, everyMs);
  }

  async stop() {
    clearInterval(this.timer);
    await sleep(this.settleMs);
  }

  /** When those messages were sent, from `since` on, that a client has heard. */
  heardBy(client, since) {
    return client.messages
      .filter(({ body }) => body.startsWith(this.prefix))
      .map(({ body }) => this.sentAt[Number(body.slice(this.prefix.length))])
      .filter((at) => at >= since);
  }

  /** The moment of the first answer that was no yes, of those sent from `since` on. */
  async refusedAt(since) {
    const answers = await Promise.all(this.answers);
    const first = answers.findIndex((answer, n) => this.sentAt[n] >= since && answer === 'refused');
    return first < 0 ? undefined : this.sentAt[first];
  }
}

/**
 * A room with somebody who talks and somebody who listens, both in good standing: what they hear is
 * what a room with nobody in trouble hears.
 * @param {FieldServer} server @param {Timing} timing
 */
async function scene(server, timing, { members = ['ada', 'ben', 'cyn'] } = {}) {
  const room = await server.room(members);
  const talker = await server.connect(await server.login('ada'));
  await talker.join(room);
  const witness = await server.connect(await server.login('cyn'), { node: 'last' });
  await witness.join(room);
  return {
    room,
    witness,
    talk: new Talk(talker, room, timing),
    close() {
      clearInterval(this.talk.timer);
      talker.close();
      witness.close();
    },
    /** A silent room shows nothing. */
    mustTalk(since) {
      if (this.talk.heardBy(witness, since).length === 0)
        throw new Error('nobody heard anything: the trial shows nothing');
    },
  };
}

const after = (moments, from) => moments.filter((at) => at !== undefined && at >= from);
/** @returns {number | null} */
function noticeMs(client, from, ...more) {
  const moments = [...client.told.map(({ at }) => at), client.ended?.at, ...more];
  const found = after(moments, from - CLOCK_MS);
  return found.length === 0 ? null : Math.max(0, Math.round(Math.min(...found) - from));
}
const noticeOf = (client) =>
  client.told.at(0)?.what ?? (client.ended === null ? null : `closed ${client.ended.code}`);
const lastMs = (moments, from) =>
  moments.length === 0 ? null : Math.round(Math.max(...moments) - from);
/** @returns {Outcome['verdict']} */
const verdictOf = (stops, told, boundMs) =>
  !stops ? 'failed' : told !== null && told <= boundMs ? 'passed' : 'untold';

/**
 * D1: nothing is sent by the client whose token ends.
 * @returns {Promise<Outcome>}
 */
async function expiresIdle(server, timing) {
  const at = await scene(server, timing);
  const token = await server.login('ben', { seconds: timing.tokenSeconds });
  const client = await server.connect(token, { node: 'last' });
  try {
    await client.join(at.room);
    const end = endOfToken(server, token);
    await sleep(end + timing.idleWatchMs - performance.now());
    await at.talk.stop();
    at.mustTalk(end);
    const late = at.talk.heardBy(client, end);
    const told = noticeMs(client, end);
    const last = lastMs(late, end);
    return {
      verdict: verdictOf(last === null || last <= timing.boundMs, told, timing.boundMs),
      figures: { deliveries: late.length, last_ms: last, told_ms: told, told: noticeOf(client) },
    };
  } finally {
    client.close();
    at.close();
  }
}

/**
 * D2: the client whose token ends publishes on.
 * @returns {Promise<Outcome>}
 */
async function expiresBusy(server, timing) {
  const at = await scene(server, timing);
  const token = await server.login('ben', { seconds: timing.tokenSeconds });
  const client = await server.connect(token, { node: 'last' });
  try {
    await client.join(at.room);
    const busy = new Talk(client, at.room, timing, 'b');
    const end = endOfToken(server, token);
    await sleep(end + timing.watchMs - performance.now());
    await Promise.all([at.talk.stop(), busy.stop()]);
    at.mustTalk(end);
    const taken = busy.heardBy(at.witness, end);
    const last = lastMs(taken, end);
    const refused = await busy.refusedAt(end);
    const told = noticeMs(client, end, refused);
    return {
      verdict: verdictOf(last === null || last <= timing.boundMs, told, timing.boundMs),
      figures: {
        publishes: taken.length,
        last_ms: last,
        told_ms: told,
        told: noticeOf(client) ?? (refused === undefined ? null : 'publish refused'),
      },
    };
  } finally {
    client.close();
    at.close();
  }
}

/** Messages that still reach a client after the end, and those of its own that take effect. */
async function afterEnd(at, client, busy, end, timing) {
  await sleep(timing.watchMs);
  await Promise.all([at.talk.stop(), busy.stop()]);
  at.mustTalk(end);
  return { late: at.talk.heardBy(client, end), taken: busy.heardBy(at.witness, end) };
}

/**
 * D3: logout in one tab; another tab of the session, and another session of the user.
 * @returns {Promise<Outcome>}
 */
async function logsOut(server, timing) {
  const at = await scene(server, timing);
  const [token, other] = [await server.login('ben'), await server.login('ben')];
  const [tab, elsewhere] = [
    await server.connect(token, { node: 'last' }),
    await server.connect(other, { node: 'last' }),
  ];
  try {
    for (const client of [tab, elsewhere]) await client.join(at.room);
    const busy = new Talk(tab, at.room, timing, 'b');
    await heardSome(tab, timing);
    await server.logout(token);
    const end = performance.now();
    const { late, taken } = await afterEnd(at, tab, busy, end, timing);
    const told = toldSince(tab, end);
    return {
      verdict: verdictOf(late.length + taken.length === 0, told, timing.boundMs),
      figures: {
        deliveries: late.length,
        publishes: taken.length,
        told_ms: told,
        told: noticeOf(tab),
        other_session_stays: at.talk.heardBy(elsewhere, end).length > 0,
      },
    };
  } finally {
    tab.close();
    elsewhere.close();
    at.close();
  }
}

/**
 * D4: a member is removed from a room.
 * @returns {Promise<Outcome>}
 */
async function isRemoved(server, timing) {
  const at = await scene(server, timing);
  const client = await server.connect(await server.login('ben'), { node: 'last' });
  try {
    await client.join(at.room);
    const busy = new Talk(client, at.room, timing, 'b');
    await heardSome(client, timing);
    await server.remove('ben', at.room);
    const end = performance.now();
    const { late, taken } = await afterEnd(at, client, busy, end, timing);
    const told = toldSince(client, end, await busy.refusedAt(end));
    return {
      verdict: verdictOf(late.length + taken.length === 0, told, timing.boundMs),
      figures: {
        deliveries: late.length,
        publishes: taken.length,
        told_ms: told,
        told: noticeOf(client) ?? (told === null ? null : 'publish refused'),
      },
    };
  } finally {
    client.close();
    at.close();
  }
}

/**
 * D8: sessions end while their handshakes are under way, and their tokens are used again.
 * @returns {Promise<Outcome>}
 */
async function racesHandshake(server, timing) {
  const at = await scene(server, timing);
  /** @type {Client[]} */
  const open = [];
  try {
    const tokens = [];
    for (let i = 0; i < RACES; i += 1) tokens.push(await server.login('ben'));
    await Promise.all(
      tokens.map(async (token, i) => {
        const opening = server.connect(token, { node: 'last' }).then(
          async (client) => {
            open.push(client);
            await client.join(at.room).catch(() => {});
          },
          () => {},
        );
        await sleep(i * RACE_STEP_MS);
        await server.logout(token);
        await opening;
      }),
    );
    const end = performance.now() + timing.boundMs;
    await sleep(timing.boundMs + timing.watchMs);
    const again = await Promise.all(
      tokens.map((token) =>
        server.connect(token, { node: 'last' }).then(
          (client) => {
            open.push(client);
            return true;
          },
          () => false,
        ),
      ),
    );
    await at.talk.stop();
    at.mustTalk(end);
    const hear = open.filter((client) => at.talk.heardBy(client, end).length > 0).length;
    const opened = again.filter(Boolean).length;
    return {
      verdict: hear + opened === 0 ? 'passed' : 'failed',
      figures: { raced: RACES, still_hear: hear, opened_again: opened },
    };
  } finally {
    for (const client of open) client.close();
    at.close();
  }
}

/**
 * D9: a client does not know what became of its message, and sends it again over a new line.
 * @returns {Promise<Outcome>}
 */
async function repeats(server, timing) {
  const at = await scene(server, timing);
  const token = await server.login('ben');
  const id = randomUUID();
  const body = `once-${id}`;
  /** @type {Client[]} */
  const clients = [];
  try {
    for (let i = 0; i < 2; i += 1) {
      const client = await server.connect(token, { node: i === 0 ? 'first' : 'last' });
      clients.push(client);
      await client.join(at.room);
      await client.publish(at.room, body, id);
      client.close();
    }
    const end = performance.now();
    await sleep(timing.settleMs);
    await at.talk.stop();
    at.mustTalk(end);
    const heard = at.witness.messages.filter((message) => message.body === body).length;
    return { verdict: heard === 1 ? 'passed' : 'failed', figures: { deliveries: heard } };
  } finally {
    for (const client of clients) client.close();
    at.close();
  }
}

/**
 * No drill: a peer is gone and no packet says so, as when a cable is drawn.
 * @returns {Promise<Outcome>}
 */
async function fallsSilent(server, timing) {
  const line = await silentLine(server.ports.at(-1));
  const room = await server.room(['ben']);
  const client = await server.connect(await server.login('ben'), { port: line.port });
  try {
    await client.join(room);
    const ended = line.fallSilent();
    const ms = await Promise.race([ended, sleep(timing.silenceMs, null, { ref: false })]);
    return {
      verdict: ms === null ? 'failed' : 'passed',
      figures: { ended_ms: ms === null ? null : Math.round(ms) },
    };
  } finally {
    client.close();
    line.close();
  }
}

const endOfToken = (server, token) => server.endOf?.(token) ?? endOf(token);

/** Told before the call returned counts as told at once. */
function toldSince(client, end, ...more) {
  const early = [...client.told.map(({ at }) => at), client.ended?.at].some((at) => at < end);
  return early ? 0 : noticeMs(client, end, ...more);
}

/** Until the client is seen to get what is said in its room. */
async function heardSome(client, { everyMs }) {
  for (let i = 0; client.messages.length < 3; i += 1) {
    if (i > 200) throw new Error('the client heard nothing before the trial');
    await sleep(everyMs);
  }
}

/** @type {Record<string, { title: string, run: (server: any, timing: Timing) => Promise<Outcome>
 * }>} */
export const TRIALS = {
  D1: { title: 'token expires, idle', run: expiresIdle },
  D2: { title: 'token expires, busy', run: expiresBusy },
  D3: { title: 'logout in another tab', run: logsOut },
  D4: { title: 'removed from a room', run: isRemoved },
  D8: { title: 'session ends in the handshake', run: racesHandshake },
  D9: { title: 'the same message twice', run: repeats },
  silence: { title: 'a peer falls silent', run: fallsSilent },
};
