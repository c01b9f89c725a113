/**
 * Events, pages, sends, losses and resets come in any order. Once everything has arrived, a
 * timeline is a part of the room's messages without a hole, each as the server has it, and every
 * send has one effect.
 */
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Room, type Timeline, WardroomClient } from '@wardroom/client';
import { ManualClock } from '../manual-clock.js';
import { ME, ModelServer, OTHER, ROOM } from './model-server.js';

const RUNS = Number(process.env['RUNS'] ?? 200);

const STEPS = {
  publish: 6,
  burst: 2,
  flow: 8,
  edit: 2,
  delete: 1,
  react: 3,
  handle: 8,
  deliver: 12,
  read: 5,
  answer: 5,
  fail: 1,
  send: 3,
  older: 3,
  newer: 2,
  around: 1,
  end: 1,
  retry: 1,
  cut: 2,
  lose: 2,
  wait: 3,
} as const;
type Step = { name: keyof typeof STEPS; at: number };

const steps = fc.array(
  fc.record({
    name: fc.oneof(
      ...(Object.entries(STEPS) as [Step['name'], number][]).map(([name, weight]) => ({
        arbitrary: fc.constant(name),
        weight,
      })),
    ),
    at: fc.nat(999),
  }),
  { minLength: 5, maxLength: 60 },
);

/** Live events push the oldest messages out while a page before them is on its way. */
const TRIMMED_WHILE_LOADING: Step[] = (
  [
    ['flow', 2],
    ['burst', 0],
    ['flow', 268],
    ['deliver', 0],
    ['publish', 0],
    ['flow', 0],
    ['publish', 0],
    ['older', 0],
    ['deliver', 0],
    ['publish', 0],
    ['read', 0],
  ] as const
).map(([name, at]) => ({ name, at }));

const clients: WardroomClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

class Run {
  readonly server = new ModelServer();
  readonly clock = new ManualClock();
  readonly client = new WardroomClient({
    url: 'http://model.test',
    getToken: () => 'token',
    webSocket: this.server.Socket as never,
    fetch: this.server.fetch,
    clock: this.clock,
    random: () => 0.5,
  });
  readonly room: Room<unknown> = this.client.room<unknown>(ROOM);
  readonly timeline: Timeline<unknown> = this.room.timeline({ pageSize: 4, maxMessages: 12 });
  readonly sent: string[] = [];
  #stop = () => {};

  async begin(): Promise<void> {
    clients.push(this.client);
    for (let count = 0; count < 10; count++) this.server.publish(OTHER, `before-${count}`, count);
    void this.client.connect();
    this.#stop = this.timeline.subscribe(() => {});
    await settled();
  }

  async step({ name, at }: Step): Promise<void> {
    const { server, timeline, clock } = this;
    const some = server.messages[at % Math.max(1, server.messages.length)];
    const who = at % 2 === 0 ? ME : OTHER;
    const { messages } = timeline.getSnapshot();
    switch (name) {
      case 'publish':
        server.publish(OTHER, `other-${server.seq}-${at}`, at);
        break;
      case 'burst':
        for (let count = 0; count < 6; count++)
          server.publish(OTHER, `burst-${server.seq}-${at}-${count}`, at);
        break;
      case 'flow':
        await this.flow(1 + (at % 8));
        break;
      case 'edit':
        if (some && !some.deleted_at) server.edit(who, some.message_id, `edit ${at}`);
        break;
      case 'delete':
        if (some && !some.deleted_at) server.delete(who, some.message_id);
        break;
      case 'react':
        if (some) server.react(who, some.message_id, ['+1', '-1', 'x'][at % 3]!);
        break;
      case 'handle':
        server.handleOne();
        break;
      case 'deliver':
        server.deliverOne();
        break;
      case 'read':
        server.readOne(at);
        break;
      case 'answer':
        server.answerOne(at);
        break;
      case 'fail':
        server.failOne();
        break;
      case 'send':
        this.sent.push(timeline.send(`mine ${at}`));
        break;
      case 'older':
        void timeline.loadOlder();
        break;
      case 'newer':
        void timeline.loadNewer();
        break;
      case 'around':
        timeline.jump(1 + (at % Math.max(1, server.seq)));
        break;
      case 'end':
        timeline.jump();
        break;
      case 'retry':
        for (const { key, state } of messages) if (state === 'failed') timeline.retry(key);
        break;
      case 'cut':
        server.cut();
        break;
      case 'lose':
        server.lose(Math.max(0, server.seq - (at % 6)));
        break;
      case 'wait':
        clock.advance(500);
        break;
    }
    await settled();
    // Never twice the same, never out of order, at any time.
    const now = timeline.getSnapshot().messages;
    expect(new Set(now.map(({ key }) => key)).size).toBe(now.length);
    const seqs = now.flatMap(({ seq, n }) => (n === undefined ? [] : [seq!]));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    const numbers = now.flatMap(({ n }) => (n === undefined ? [] : [n]));
    if (!timeline.getSnapshot().refreshing)
      expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
    expect(timeline.getSnapshot()).toBe(timeline.getSnapshot());
  }

  /** Everything that is on its way arrives. */
  async finish(): Promise<void> {
    const { server, timeline } = this;
    for (let round = 0; round < 400; round++) {
      const { messages, state, refreshing, loadingNewer, loadingOlder } = timeline.getSnapshot();
      const isDone = messages.every((message) => message.state === 'stored' && message.n);
      const isIdle = !refreshing && !loadingNewer && !loadingOlder && state === 'ready';
      if (server.isQuiet && isDone && isIdle && this.client.state === 'live') return;
      for (const { key, state: is } of messages) if (is === 'failed') timeline.retry(key);
      await this.flow(3);
    }
    throw new Error(`it never ended: ${JSON.stringify(timeline.getSnapshot())}`);
  }

  async flow(rounds: number): Promise<void> {
    for (let count = 0; count < rounds; count++) {
      this.server.handleOne();
      this.server.deliverOne();
      this.server.readOne();
      this.server.answerOne();
      await settled();
      this.clock.advance(250);
      await settled();
    }
  }

  end(): void {
    this.#stop();
    this.timeline.close();
    this.client.close();
  }
}

/** Everything that needs no step of the server has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const reactionsOf = (reactions: readonly { emoji: string; users: readonly string[] }[]) =>
  Object.fromEntries(reactions.map(({ emoji, users }) => [emoji, [...users].sort()]));

test('any interleaving of events, pages, sends, losses and resets equals the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const run = new Run();
      await run.begin();
      try {
        for (const step of all) await run.step(step);
        await run.finish();
        const { messages, hasOlder, hasNewer } = run.timeline.getSnapshot();
        const oracle = run.server.messages;
        const first = oracle.findIndex(({ message_id }) => message_id === messages[0]?.id);
        const expected = oracle.slice(Math.max(0, first), Math.max(0, first) + messages.length);
        expect(
          messages.map(({ id, seq, body, editedAt, deletedAt, reactions, mine }) => ({
            id,
            seq,
            body,
            editedAt,
            deletedAt,
            mine,
            reactions: reactionsOf(reactions),
          })),
        ).toEqual(
          expected.map((item) => ({
            id: item.message_id,
            seq: item.seq,
            body: item.body,
            editedAt: item.edited_at,
            deletedAt: item.deleted_at,
            mine: item.sender === ME,
            reactions: reactionsOf(item.reactions),
          })),
        );
        if (!hasOlder) expect(first <= 0).toBe(true);
        if (!hasNewer) expect(messages.at(-1)?.id).toBe(oracle.at(-1)?.message_id);
        const mine = oracle.filter(({ sender }) => sender === ME).map(({ op_id }) => `op:${op_id}`);
        expect(new Set(mine).size).toBe(mine.length);
        if (!all.some(({ name }) => name === 'lose'))
          expect([...mine].sort()).toEqual([...run.sent].sort());
      } finally {
        run.end();
      }
    }),
    { numRuns: RUNS, examples: [[TRIMMED_WHILE_LOADING]] },
  );
});
