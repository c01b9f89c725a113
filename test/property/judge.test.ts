/** The judge of the interleavings catches what it is there for: histories with one lie each. */
import { describe, expect, test } from '@jest/globals';
import { judge } from './judge.js';
import type { Change, History, Received } from './judge.js';

const change = (user: string, to: Change['to'], startMs: number): Change => ({
  user,
  to,
  startMs,
  endMs: startMs + 10,
  effective: true,
});
const event = (seq: number, atMs: number): Received => ({ what: 'event', seq, atMs });

/**
 * Xavier hears 1, is removed (epoch 1) at 100..110, misses 2, is back at 200, hears 3. Yara is
 * muted (epoch 2) at 300..310.
 */
const truth = (): History => ({
  changes: [change('x', 'removed', 100), change('x', 'in', 200), change('y', 'muted', 300)],
  shrinks: [
    { user: 'x', to: 'removed', epoch: 1 },
    { user: 'y', to: 'muted', epoch: 2 },
  ],
  stored: [
    { seq: 1, epoch: 0, sender: 'y', opId: 'p1', atMs: 50 },
    { seq: 2, epoch: 1, sender: 'owner', opId: 'p2', atMs: 150 },
    { seq: 3, epoch: 1, sender: 'y', opId: 'p3', atMs: 250 },
  ],
  sent: [
    { id: 'p1', user: 'y', session: 'sy', sentMs: 40 },
    { id: 'p2', user: 'owner', session: 'so', sentMs: 140 },
    { id: 'p3', user: 'y', session: 'sy', sentMs: 240 },
    { id: 's1', user: 'owner', session: 'so', sentMs: 150 },
    { id: 's2', user: 'y', session: 'sy', sentMs: 350 },
  ],
  ears: [
    {
      name: 'xavier',
      user: 'x',
      session: 'sx',
      witness: false,
      received: [
        { what: 'subscribed', seq: 0, atMs: 10 },
        event(1, 60),
        { what: 'subscribed', seq: 2, atMs: 220 },
        event(3, 260),
      ],
    },
    {
      name: 'owner',
      user: 'owner',
      session: 'so',
      witness: true,
      received: [
        { what: 'subscribed', seq: 0, atMs: 10 },
        event(1, 60),
        event(2, 160),
        event(3, 260),
      ],
    },
  ],
  endings: [{ session: 'sx', endedMs: 400, receiptMs: 410 }],
});

const doctored = (lie: (history: History) => void): string[] => {
  const history = truth();
  lie(history);
  return judge(history);
};

describe('the judge', () => {
  test('finds nothing in a true history', () => {
    expect(judge(truth())).toEqual([]);
  });

  test.each<[string, (history: History) => void, RegExp]>([
    [
      'an event of after the removal',
      ({ ears }) => ears[0]!.received.splice(2, 2, event(2, 160)),
      /xavier received seq 2 of epoch 1, but was removed/,
    ],
    [
      'an event of after the removal, read before the way back began',
      ({ ears }) => ears[0]!.received.splice(2, 2, event(2, 199)),
      /was removed with epoch 1/,
    ],
    [
      'a ban that the log has and a delivery ignores',
      ({ changes, shrinks }) => (
        (changes[0]!.to = 'banned'),
        (shrinks[0]!.to = 'banned'),
        changes.splice(1, 1)
      ),
      /xavier received seq 3 .* was banned/,
    ],
    [
      'a signal of after the receipt',
      ({ ears }) => ears[0]!.received.push({ what: 'signal', id: 's1', atMs: 160 }),
      /xavier received a signal .* being removed/,
    ],
    [
      'a signal of somebody muted',
      ({ ears }) => ears[1]!.received.push({ what: 'signal', id: 's2', atMs: 360 }),
      /signal of y, sent after the receipt of being muted/,
    ],
    [
      'a publish of somebody muted',
      ({ stored, ears }) => (
        stored.push({ seq: 4, epoch: 2, sender: 'y', opId: 'p4', atMs: 340 }),
        ears[1]!.received.push(event(4, 350))
      ),
      /seq 4 of y was committed under epoch 2/,
    ],
    [
      'a publish judged by the rights of before a demotion',
      ({ shrinks, changes }) => (
        (shrinks[1] = { user: 'y', to: 'viewer', epoch: 1 }),
        (changes[2] = change('y', 'viewer', 120))
      ),
      /seq 3 of y .* viewer/,
    ],
    [
      'an effect of an ended session',
      ({ endings, ears }) => (endings.push({ session: 'sy', endedMs: 245, receiptMs: 246 }), ears),
      /seq 3 was committed after its session had ended/,
    ],
    [
      'a delivery to an ended session',
      ({ endings }) => (endings[0] = { session: 'sx', endedMs: 200, receiptMs: 230 }),
      /xavier received p3, which was sent after the receipt/,
    ],
    ['a gap', ({ ears }) => ears[1]!.received.splice(2, 1), /owner received seq 3 after 1/],
    [
      'a repetition',
      ({ ears }) => ears[1]!.received.splice(2, 0, event(1, 70)),
      /owner received seq 1 after 1/,
    ],
    [
      'a last event that never came',
      ({ ears }) => ears[1]!.received.pop(),
      /owner received up to seq 2 of 3/,
    ],
    [
      'an event nobody stored',
      ({ ears }) => ears[1]!.received.push(event(4, 270)),
      /seq 4, which is not stored/,
    ],
  ])('finds %s', (_, lie, sentence) => {
    expect(doctored(lie).join('\n')).toMatch(sentence);
  });
});
