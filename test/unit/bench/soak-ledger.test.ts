/**
 * The checker of the soak is worth something only if it notices: every broken promise it looks for,
 * once.
 */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Ledger } from '../../../bench/soak/ledger.mjs';

let ledger: any;
let seat: any;
const ROOM = 'room';

beforeEach(() => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  ledger = new Ledger();
  seat = { name: 'u1/0', seen: new Map([[ROOM, 4]]), person: { barriers: new Map() } };
});

afterEach(() => void jest.restoreAllMocks());

const message = (seq: number, sentAt = 100) => ({
  room: ROOM,
  seq,
  message_id: `m${seq}`,
  body: { sent_at: sentAt },
});
const found = () => ledger.violations.first.map(({ what }: { what: string }) => what);

test('numbers in order, from several seats, are no violation', () => {
  const other = { ...seat, seen: new Map([[ROOM, 3]]) };
  for (const seq of [5, 6, 7]) ledger.delivered(seat, message(seq));
  for (const seq of [4, 5, 6]) ledger.delivered(other, message(seq));
  expect(found()).toEqual([]);
});

test('a gap, a duplicate, and a delivery before the subscription are noticed', () => {
  ledger.delivered(seat, message(6));
  ledger.delivered(seat, message(6));
  ledger.delivered(seat, { ...message(1), room: 'another' });
  expect(found()).toEqual(['a gap', 'a duplicate', 'a delivery before `subscribed`']);
});

test('two messages under one number are noticed, in whatever way they become known', () => {
  ledger.delivered(seat, message(5));
  ledger.acknowledged(
    seat,
    { sentAt: 1 },
    { room: ROOM, seq: 5, message_id: 'other', op_id: 'op', duplicate: false },
  );
  expect(found()).toEqual(['two messages under one number']);
});

test.each([
  ['the session', 'session'],
  ['the room', ROOM],
])(
  'a message sent after the receipt for %s reaches nobody it names and is not accepted from them',
  (_, barrier) => {
    seat.person.barriers.set(barrier, 50);
    ledger.delivered(seat, message(5, 49));
    ledger.signalled(seat, { room: ROOM, body: { sent_at: 49 } });
    expect(found()).toEqual([]);
    ledger.delivered(seat, message(6, 51));
    ledger.signalled(seat, { room: ROOM, body: { sent_at: 51 } });
    ledger.acknowledged(
      seat,
      { sentAt: 51 },
      { room: ROOM, seq: 7, message_id: 'm7', op_id: 'op', duplicate: false },
    );
    expect(found()).toEqual([
      'a delivery after the receipt',
      'a delivery after the receipt',
      'a publish was accepted after the receipt',
    ]);
  },
);

test('an acknowledged publish that history lacks, moved or has twice is noticed', () => {
  const ack = (seq: number, op: string) =>
    ledger.acknowledged(
      seat,
      { sentAt: 1 },
      { room: ROOM, seq, message_id: `m${seq}`, op_id: op, duplicate: false },
    );
  ack(1, 'a');
  ack(2, 'b');
  ack(3, 'c');
  ack(9, 'beyond the page');
  const item = (seq: number, op: string, id = `m${seq}`) => ({ seq, op_id: op, message_id: id });
  ledger.verify(ROOM, [item(1, 'a'), item(4, 'c', 'm4')]);
  expect(found()).toEqual([
    'an acknowledged publish is in history under another number',
    'an acknowledged publish is not in history',
  ]);
  ledger.verify(ROOM, [item(4, 'c', 'm4'), item(9, 'beyond the page')]);
  expect(found().slice(2)).toEqual(['history repeats itself']);
});
