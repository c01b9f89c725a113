/**
 * The judge of failovers is shown a history in good order, and the same with one lie in it: each
 * lie is found, by its sentence.
 */
import { expect, test } from '@jest/globals';
import { judgeFailover } from './failover-judge.js';
import type { Answers, Truth } from './failover-judge.js';

const ROOM = 'r';
const message = (seq: number, past = '') => ({
  type: 'message',
  room: ROOM,
  seq,
  message_id: `m${seq}${past}`,
});
const ack = (seq: number, atMs: number, past = '') => ({
  room: ROOM,
  op: `op${seq}${past}`,
  seq,
  message: `m${seq}${past}`,
  invokedMs: atMs - 1,
  atMs,
});
const stored = (seq: number, past = '') => ({
  seq,
  message: `m${seq}${past}`,
  op: `op${seq}${past}`,
});
const lost = { room: ROOM, from: 2, to: 3 };
const closed = { code: 1008, reason: { code: 'session_revoked' } };

/**
 * Two of three events were lost with the primary, which was killed at 100; one came after the
 * switch at 200.
 */
function inGoodOrder(): { answers: Answers; truth: Truth } {
  const frames = [
    message(1),
    message(2),
    message(3),
    { type: 'reset', epoch: 'new', seq: 1, lost: { from: 2, to: 3 } },
    message(2, "'"),
  ];
  return {
    answers: {
      acks: [ack(1, 10), ack(2, 20), ack(3, 30), ack(2, 300, "'")],
      listeners: ['a', 'b'].map((node) => ({
        room: ROOM,
        node,
        epoch: 'old',
        frames: [...frames],
        closed: null,
      })),
      visits: [
        { session: 'out', out: { late: 0 }, closed: [closed, closed], accepted: [false, false] },
        { session: 'lost', out: null, closed: [closed, closed], accepted: [false, false] },
        { session: 'stays', out: null, closed: [null, null], accepted: [true, true] },
      ],
      accepted: [],
    },
    truth: {
      killedMs: 100,
      switchedMs: 200,
      replaced: true,
      stored: new Map([[ROOM, [stored(1), stored(2, "'")]]]),
      alive: new Set(['stays']),
      audited: [lost],
      logged: [lost],
    },
  };
}

test('a history in good order passes', () => {
  const { answers, truth } = inGoodOrder();
  expect(judgeFailover(answers, truth)).toEqual([]);
});

type Lie = (history: { answers: any; truth: any }) => unknown;
test.each<[string, RegExp, Lie]>([
  [
    'a token taken after its receipt',
    /^a token was taken after an effective receipt: rest$/,
    ({ answers }) => answers.accepted.push('rest'),
  ],
  [
    'a receipt of a session that lives',
    /^an effective receipt, and session out lives$/,
    ({ truth }) => truth.alive.add('out'),
  ],
  [
    'a message after the receipt',
    /^session out heard 1 messages after its receipt$/,
    ({ answers }) => (answers.visits[0].out.late = 1),
  ],
  [
    'a lost login that is taken',
    /^session lost is over or lost and is taken$/,
    ({ answers }) => (answers.visits[1].accepted[1] = true),
  ],
  [
    'a session that lives and is refused',
    /^session stays lives and is refused$/,
    ({ answers }) => (answers.visits[2].accepted[0] = false),
  ],
  [
    'a socket of a lost login that is open',
    /^a socket of session lost, .* has null$/,
    ({ answers }) => (answers.visits[1].closed[0] = null),
  ],
  [
    'a socket closed for nothing',
    /^a socket of session stays, which lives, was closed/,
    ({ answers }) => (answers.visits[2].closed[0] = closed),
  ],
  [
    'a lost event that the audit does not name',
    /^op3, .* is lost and not named by the audit$/,
    ({ truth }) => (truth.audited = [{ ...lost, to: 2 }]),
  ],
  [
    'a lost event that the log does not name',
    /^op2, .* is lost and not named by the log$/,
    ({ truth }) => (truth.logged = [{ ...lost, from: 3 }]),
  ],
  [
    'a lost event that no client was told of',
    /^op2, .* is lost and not named by the clients$/,
    ({ answers }) => answers.listeners.forEach(({ frames }: any) => delete frames[3].lost),
  ],
  [
    'an event named as lost that is there',
    /^op1, .* is there and named as lost by the audit$/,
    ({ truth }) => (truth.audited = [{ ...lost, from: 1 }]),
  ],
  [
    'an event of after the switch that is not there',
    /^op2', .* after the switch, is not there$/,
    ({ truth }) => (truth.stored.get(ROOM)[1].message = 'other'),
  ],
  ['a gap', /^room r has a gap$/, ({ truth }) => (truth.stored.get(ROOM)[1].seq = 3)],
  [
    'one operation twice',
    /^room r has an operation twice$/,
    ({ truth }) => (truth.stored.get(ROOM)[1].op = 'op1'),
  ],
  [
    'a listener without a reset',
    /on a was told reset 0 times$/,
    ({ answers }) => answers.listeners[0].frames.splice(3, 1),
  ],
  [
    'a reset where nothing was replaced',
    /on a was told reset 1 times$/,
    ({ truth }) => (truth.replaced = false),
  ],
  [
    'a reset with the old epoch',
    /on a was told reset with the epoch it had$/,
    ({ answers }) => (answers.listeners[0].frames[3].epoch = 'old'),
  ],
  [
    'two epochs in the end',
    /^room r has another epoch on another node$/,
    ({ answers }) =>
      (answers.listeners[0].frames[3] = {
        type: 'reset',
        epoch: 'third',
        seq: 1,
        lost: { from: 2, to: 3 },
      }),
  ],
  [
    'a message that never came',
    /on a keeps 1 messages that are not the 2 stored$/,
    ({ answers }) => answers.listeners[0].frames.pop(),
  ],
  [
    'a listener that was closed',
    /on b was closed/,
    ({ answers }) => (answers.listeners[1].closed = closed),
  ],
])('%s is found', (_what, sentence, lie) => {
  const history = structuredClone(inGoodOrder());
  lie(history);
  expect(judgeFailover(history.answers, history.truth)).toContainEqual(
    expect.stringMatching(sentence),
  );
});
