/**
 * The tail of a room under random news and slow reads. Oracle: `Table`, which changes its rows as
 * apply_room_events does. Whenever the channel has everything that was committed, the tail answers
 * what the table answers, whoever asks from where.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS } from '@wardroom/protocol/limits';
import { ReplayBuffer, ReplayBudget } from '../../src/gateway/delivery/replay-buffer.js';
import { toRoomEvent } from '../../src/rooms/events/room-event.js';
import type { RoomEvent, RoomEventRow } from '../../src/rooms/events/room-event.js';
import { RUNS } from './runs.js';

type Step =
  | { do: 'message' | 'edit' | 'delete' | 'react' | 'fill'; pick: number }
  | { do: 'accept' | 'read' | 'answer' | 'drop' | 'age' };

const AT = new Date(0);

class Table {
  readonly rows: RoomEventRow[] = [];
  private readonly messages: string[] = [];

  /** Commits; answers the event as the committing node announces it. */
  commit(type: RoomEventRow['type'], pick: number): RoomEvent | null {
    const seq = this.rows.length + 1;
    const message_id = type === 'message' ? `m${seq}` : this.messages[pick % this.messages.length];
    const target = this.rows.find((row) => row.type === 'message' && row.message_id === message_id);
    if (message_id === undefined || (target !== undefined && target.body === null)) return null;
    const body = type === 'message' || type === 'message_edited' ? `"${seq}"` : null;
    const said = { op_id: 'o', kind: 'text', emoji: '!', reaction_on: true };
    const row: RoomEventRow = {
      room_id: 'r',
      seq,
      type,
      message_id,
      sender: 's',
      body,
      epoch: 0,
      at: AT,
      n: 0,
      reply_to: null,
      mentions: null,
      ...said,
    };
    const announced = toRoomEvent(row, '');
    if (type === 'message') this.messages.push(message_id);
    if (type === 'message_edited') target!.body = body;
    if (type === 'message_deleted')
      for (const each of this.rows) if (each.message_id === message_id) each.body = null;
    this.rows.push(row);
    return announced;
  }

  after(seq: number, upTo = this.rows.length): RoomEvent[] {
    return this.rows.slice(seq, upTo).map((row) => toRoomEvent(row, ''));
  }
}

class Machine {
  readonly table = new Table();
  readonly violations: string[] = [];
  readonly tail: ReplayBuffer;
  private readonly announced: RoomEvent[] = [];
  private accepted: number;
  /** Reads on their way: run, and answered later. */
  private reads: (() => void)[] = [];
  private answers: (() => void)[] = [];
  readonly fills: Promise<void>[] = [];
  asked = 0;

  constructor(stored: number, budget: ReplayBudget) {
    for (let i = 0; i < stored; i += 1) this.table.commit('message', 0);
    this.accepted = stored;
    const eventsAfter = (_room: string, seq: number, limit: number) =>
      new Promise<RoomEvent[]>((resolve) => {
        this.asked += 1;
        this.reads.push(() => {
          const events = this.table.after(seq, seq + limit);
          this.answers.push(() => resolve(events));
        });
      });
    this.tail = new ReplayBuffer('r', {
      history: { eventsAfter },
      metrics: { replayReads: { inc: () => undefined } as never },
      tails: budget,
    });
    this.tail.startAfter(stored);
  }

  async do(step: Step): Promise<void> {
    const types = {
      message: 'message',
      edit: 'message_edited',
      delete: 'message_deleted',
      react: 'reaction',
    } as const;
    switch (step.do) {
      case 'accept': {
        const event = this.announced.shift();
        if (event !== undefined) this.tail.push(event);
        this.accepted = event?.seq ?? this.accepted;
        break;
      }
      case 'fill':
        this.fills.push(this.tail.fill(step.pick % (this.accepted + 1)));
        break;
      case 'read':
        this.reads.shift()?.();
        break;
      case 'answer':
        this.answers.shift()?.();
        await new Promise(setImmediate);
        break;
      case 'drop':
      case 'age':
        this.tail[step.do]();
        break;
      default: {
        const event = this.table.commit(types[step.do], step.pick);
        if (event !== null) this.announced.push(event);
      }
    }
    this.compare();
  }

  /** The guarantee of Channels.isCurrent before the buffer is used. */
  private compare(): void {
    if (this.announced.length > 0) return;
    const first = Math.max(0, this.accepted - this.tail.size);
    if (first > 0 && this.tail.covers(first - 1))
      this.violations.push(`covers what is before ${first}`);
    for (const seq of [first, Math.ceil((first + this.accepted) / 2)]) {
      const [mine, theirs] = [this.tail.after(seq, this.accepted), this.table.after(seq)];
      if (JSON.stringify(mine) !== JSON.stringify(theirs))
        this.violations.push(
          `after ${seq}: ${JSON.stringify(mine)}, not ${JSON.stringify(theirs)}`,
        );
    }
  }

  async finish(): Promise<void> {
    while (this.announced.length > 0) await this.do({ do: 'accept' });
    while (this.reads.length + this.answers.length > 0)
      for (const each of ['read', 'answer'] as const) await this.do({ do: each });
    await Promise.all(this.fills);
  }
}

const pick = fc.nat({ max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('message', 'message', 'edit', 'delete', 'react'),
      pick,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fill' as const), pick }) },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constantFrom('accept', 'accept', 'read', 'answer') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('drop', 'age') }) },
);

/** In order, and Postgres answers each read at once. */
async function filled(stored: number, since: number, budget = new ReplayBudget()) {
  const machine = new Machine(stored, budget);
  void machine.do({ do: 'fill', pick: since });
  await machine.finish();
  return machine;
}

describe('the tail of a room', () => {
  test('answers what Postgres answers: edited, deleted and reacted to, while reads and news overtake each other', async () => {
    let covered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 5 }),
        fc.constantFrom(1_500, 1_000_000),
        fc.array(step, { maxLength: 60 }),
        async (stored, bytesMax, steps) => {
          const machine = new Machine(stored, new ReplayBudget(bytesMax));
          for (const each of steps) await machine.do(each);
          await machine.finish();
          expect(machine.violations).toEqual([]);
          if (machine.tail.size > 0) covered += 1;
        },
      ),
      { numRuns: RUNS },
    );
    expect(covered).toBeGreaterThan(100);
  });

  test('does not keep a body that was deleted, whatever was read before', async () => {
    const machine = new Machine(3, new ReplayBudget());
    for (const each of [
      { do: 'fill', pick: 0 },
      { do: 'read' },
      { do: 'delete', pick: 1 },
      { do: 'accept' },
      { do: 'answer' },
    ] as const)
      await machine.do(each);
    expect(machine.tail.covers(0)).toBe(false);
    void machine.do({ do: 'fill', pick: 0 });
    await machine.finish();
    expect(machine.tail.after(0, 4).map(({ frame }) => JSON.parse(frame).body)).toEqual([
      '1',
      null,
      '3',
      undefined,
    ]);
  });

  test('calls that come while a read is under way share it, also with an older place', async () => {
    const machine = new Machine(50, new ReplayBudget());
    for (const since of [40, 20, 30]) void machine.do({ do: 'fill', pick: since });
    await machine.finish();
    expect(machine.asked).toBe(2);
    expect([19, 20].map((seq) => machine.tail.covers(seq))).toEqual([false, true]);
  });

  test('holds what one subscribe may replay, and no more', async () => {
    const { tail, table } = await filled(LIMITS.replayEvents + 10, 10);
    expect([9, 10].map((seq) => tail.covers(seq))).toEqual([false, true]);
    tail.push(table.commit('message', 0)!);
    expect(tail.size).toBe(LIMITS.replayEvents);
    expect((await filled(LIMITS.replayEvents + 10, 9)).tail.size).toBe(0);
  });

  test('forgets what was there at the minute before last, and what a room said last when it falls silent', async () => {
    const { tail, table } = await filled(10, 0);
    tail.age();
    tail.push(table.commit('message', 0)!);
    expect(tail.covers(0)).toBe(true);
    tail.age();
    expect([9, 10].map((seq) => tail.covers(seq))).toEqual([false, true]);
    tail.age();
    expect([tail.size, tail.covers(10), tail.covers(11)]).toEqual([0, false, true]);
  });

  test('leaves when the node has no room for all, the longest held first', async () => {
    const budget = new ReplayBudget(100_000);
    const first = (await filled(100, 0, budget)).tail;
    const second = (await filled(100, 0, budget)).tail;
    expect([first.size, second.size]).toEqual([100, 100]);
    const third = (await filled(100, 0, budget)).tail;
    expect([first.size, second.size, third.size]).toEqual([0, 100, 100]);
  });
});
