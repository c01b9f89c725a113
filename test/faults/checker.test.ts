/**
 * The checker finds what it is there to find: one clean history, doctored in every way a promise
 * can be broken.
 */
import { describe, expect, test } from '@jest/globals';
import { check } from './checker.js';
import { emptyHistory } from './history.js';
import type { ChangeRecord, FrameRecord, History, OpRecord } from './history.js';
import type { Ledger } from './ledger.js';

const ROOM = 'room';
const LEASE_MS = 1_000;

/**
 * ada stays on two nodes, ben logs out at 1000 (receipt at 1040), cleo is removed at 2000 (receipt
 * at 2040), dora expires at 3000.
 */
function clean(): { history: History; ledger: Ledger } {
  const history = emptyHistory(LEASE_MS);
  const people = ['ada', 'ben', 'cleo', 'dora'];
  history.sessions = people.map((name) => ({
    id: `s-${name}`,
    user: name,
    name,
    expMs: name === 'dora' ? 3_000 : null,
  }));
  history.clients = [
    ...['ada@a', 'ada@b', 'ben@b', 'cleo@b', 'dora@a'].map((id) => {
      const name = id.split('@')[0]!;
      return { id, session: `s-${name}`, user: name, node: id.slice(-1), staying: name === 'ada' };
    }),
  ];
  history.changes = [
    change('logout', 'ben', ['s-ben'], 990, 1_040),
    change('remove', 'cleo', [], 1_990, 2_040),
  ];
  const publishes: [string, number, string][] = [
    ['ada@a', 500, 'op-1'],
    ['ben@b', 900, 'op-2'],
    ['cleo@b', 1_900, 'op-3'],
    ['ada@b', 2_100, 'op-4'],
    ['dora@a', 2_900, 'op-5'],
    ['ada@a', 3_200, 'op-6'],
  ];
  history.ops = publishes.map(([client, atMs, id], i) => op(client, id, atMs, i + 1));
  const ledger: Ledger = {
    events: publishes.map(([client, atMs, id], i) => ({
      room: ROOM,
      seq: i + 1,
      sender: client.split('@')[0]!,
      op: id,
      epoch: i < 3 ? 0 : 1,
      committedMs: atMs + 5,
    })),
    changes: [
      { n: 1, committedMs: 1_000, event: { kind: 'session.ended', sessions: ['s-ben'] } },
      {
        n: 2,
        committedMs: 2_000,
        event: {
          kind: 'member.changed',
          room: ROOM,
          user: 'cleo',
          role: null,
          banned: false,
          muted_until: null,
          epoch: 1,
        },
      },
    ],
  };
  for (const { id } of history.clients) {
    const untilMs = { ben: 1_000, cleo: 2_000, dora: 3_000 }[id.split('@')[0]!] ?? Infinity;
    history.frames.push(
      { client: id, atMs: 10, type: 'auth_ok' },
      { client: id, atMs: 20, type: 'subscribed', room: ROOM, seq: 0, recovered: true },
    );
    for (const [, atMs, opId] of publishes.filter(([, at]) => at + 10 < untilMs))
      history.frames.push(message(id, atMs + 10, seqOf(opId), opId));
  }
  history.frames.push({
    client: 'ben@b',
    atMs: 1_010,
    type: 'goodbye',
    code: 'session_revoked',
    action: 'login',
  });
  history.closes.push({
    client: 'ben@b',
    atMs: 1_012,
    status: 1008,
    code: 'session_revoked',
    action: 'login',
  });
  history.frames.push({
    client: 'cleo@b',
    atMs: 2_010,
    type: 'unsubscribed',
    room: ROOM,
    code: 'removed',
  });
  history.frames.push({ client: 'dora@a', atMs: 3_010, type: 'auth_expired' });
  history.probes.push({
    session: 's-ada',
    node: 'a',
    how: 'rest',
    atMs: 5_000,
    accepted: true,
    answer: '200',
  });
  history.probes.push({
    session: 's-ben',
    node: 'a',
    how: 'rest',
    atMs: 5_000,
    accepted: false,
    answer: '401',
  });
  history.healed = { readyMs: 100, deliveredMs: 20 };
  return { history, ledger };
}

function change(
  kind: ChangeRecord['kind'],
  user: string,
  sessions: string[],
  invokedMs: number,
  effectiveMs: number,
): ChangeRecord {
  const receipt = { nodes: [], connections_closed: 1, ms: effectiveMs - invokedMs };
  return {
    kind,
    via: 'a',
    sessions,
    user,
    room: sessions.length > 0 ? null : ROOM,
    invokedMs,
    outcome: 'ok',
    status: 200,
    effectiveMs,
    receipt,
  };
}

function op(
  client: string,
  id: string,
  atMs: number,
  seq: number | null,
  kind: OpRecord['kind'] = 'publish',
): OpRecord {
  return {
    id,
    client,
    kind,
    room: ROOM,
    invokedMs: atMs,
    lastInvokedMs: atMs,
    completedMs: atMs + 8,
    outcome: seq === null ? 'fail' : 'ok',
    code: null,
    seq,
  };
}

const seqOf = (opId: string): number => Number(opId.slice(3));
const message = (client: string, atMs: number, seq: number, opId: string): FrameRecord => ({
  client,
  atMs,
  type: 'message',
  room: ROOM,
  seq,
  sender: 'ada',
  op: opId,
});
const signal = (client: string, atMs: number, opId: string): FrameRecord => ({
  client,
  atMs,
  type: 'signal',
  room: ROOM,
  sender: 'ben',
  op: opId,
});
const framesOf = (history: History, client: string): FrameRecord[] =>
  history.frames.filter((frame) => frame.client === client && frame.type === 'message');

type Doctor = (history: History, ledger: Ledger) => void;

/** Damage to the clean history, by the rule that must find it. */
const SEEDED: [rule: string, what: string, doctor: Doctor][] = [
  [
    'P1 received',
    'a message after the receipt',
    ({ frames }) => frames.push(message('ben@b', 1_041, 2, 'op-2')),
  ],
  [
    'P1 received',
    'an ack after the receipt',
    ({ frames }) => frames.push({ client: 'ben@b', atMs: 1_041, type: 'ack', seq: 2 }),
  ],
  [
    'P1 received',
    'a message after the bound, without a receipt',
    ({ changes, frames }) => {
      Object.assign(changes[0]!, { effectiveMs: null, outcome: 'unknown', receipt: null });
      frames.push(message('ben@b', 1_000 + LEASE_MS + 251, 2, 'op-2'));
    },
  ],
  [
    'P1 received',
    'a new handshake after the receipt',
    ({ frames }) => frames.push({ client: 'ben@b', atMs: 1_500, type: 'auth_ok' }),
  ],
  [
    'P1 accepted',
    'a signal acknowledged that was sent after the receipt',
    ({ ops }) => ops.push({ ...op('ben@b', 'op-s', 1_050, 0, 'signal') }),
  ],
  [
    'P1 sent',
    'a signal of the ended session heard by another after the receipt',
    ({ ops, frames }) => {
      ops.push(op('ben@b', 'op-s', 995, null, 'signal'));
      frames.push(signal('ada@a', 1_045, 'op-s'));
    },
  ],
  [
    'P1 committed',
    'a publish committed after the session ended',
    (_, { events }) => (events[1]!.committedMs = 1_001),
  ],
  ['P1 came back', 'a token that is accepted again', ({ probes }) => (probes[1]!.accepted = true)],
  [
    'P1 receipt',
    'a receipt for a change that is not in the log',
    (_, { changes }) => changes.shift(),
  ],
  [
    'P2 new enemy',
    'an event committed after the removal reaches the removed member',
    ({ frames }) => frames.push(message('cleo@b', 2_005, 4, 'op-4')),
  ],
  [
    'P2 transient',
    'a signal after the receipt reaches the removed member',
    ({ frames }) => frames.push(signal('cleo@b', 2_041, 'op-x')),
  ],
  [
    'P2 committed',
    'an event of the removed member committed under the new epoch',
    (_, { events }) => (events[2]!.epoch = 1),
  ],
  [
    'P2 accepted',
    'a signal of the removed member acknowledged after the receipt',
    ({ ops }) => ops.push(op('cleo@b', 'op-s', 2_041, 0, 'signal')),
  ],
  [
    'P3 delivered',
    'a message 101 ms after exp',
    ({ frames }) => frames.push(message('dora@a', 3_101, 6, 'op-6')),
  ],
  [
    'P3 accepted',
    'a publish committed 101 ms after exp',
    (_, { events }) => (events[4]!.committedMs = 3_101),
  ],
  ['P4 once', 'a publish stored twice', (_, { events }) => events.push({ ...events[5]!, seq: 7 })],
  ['P4 stored', 'an acknowledged publish that is not stored', (_, { events }) => events.pop()],
  ['P4 stored', 'an ack with another seq', ({ ops }) => (ops[0]!.seq = 2)],
  [
    'P4 refused',
    'a refused publish that is stored',
    ({ ops }) => Object.assign(ops[0]!, { outcome: 'fail', code: 'muted' }),
  ],
  ['P4 hole', 'a hole in seq', (_, { events }) => events.splice(3, 1)],
  [
    'P4 order',
    'an event not seen',
    ({ frames }) => frames.splice(frames.indexOf(framesIn(frames, 'ada@b')[2]!), 1),
  ],
  [
    'P4 order',
    'an event seen twice',
    ({ frames }) => frames.push(framesIn(frames, 'ada@b').at(-1)!),
  ],
  [
    'P4 order',
    'two events in the wrong order',
    (history) => {
      const [first, second] = framesOf(history, 'ada@a');
      [first!.seq, second!.seq] = [second!.seq!, first!.seq!];
    },
  ],
  [
    'P4 lost',
    'the last event not seen',
    ({ frames }) => frames.splice(frames.indexOf(framesIn(frames, 'ada@b').at(-1)!), 1),
  ],
  [
    'P4 recovered',
    'a recovery that leaves out an event',
    ({ frames }) =>
      frames.splice(frames.indexOf(framesIn(frames, 'ada@b')[2]!) + 1, 0, {
        client: 'ada@b',
        atMs: 2_050,
        type: 'subscribed',
        room: ROOM,
        seq: 4,
        recovered: true,
      }),
  ],
  [
    'P7 good standing',
    'a valid session closed with login',
    ({ closes }) =>
      closes.push({
        client: 'ada@a',
        atMs: 2_500,
        status: 1008,
        code: 'auth_invalid',
        action: 'login',
      }),
  ],
  [
    'P7 good standing',
    'a valid session told to log in',
    ({ frames }) =>
      frames.push({
        client: 'ada@a',
        atMs: 2_500,
        type: 'error',
        code: 'auth_invalid',
        action: 'login',
      }),
  ],
  ['P7 good standing', 'a valid token refused', ({ probes }) => (probes[0]!.accepted = false)],
  [
    'Redis fences nobody',
    'a paused frame',
    ({ frames }) =>
      frames.push({ client: 'ada@a', atMs: 2_500, type: 'paused', code: 'auth_unavailable' }),
  ],
  [
    'healing',
    'delivery after 2001 ms',
    (history) => (history.healed = { readyMs: 100, deliveredMs: 2_001 }),
  ],
  ['healing', 'no delivery', (history) => (history.healed = { readyMs: 100, deliveredMs: null })],
];

function framesIn(frames: FrameRecord[], client: string): FrameRecord[] {
  return frames.filter((frame) => frame.client === client && frame.type === 'message');
}

describe('the checker', () => {
  test('finds nothing in a clean history', () => {
    const { history, ledger } = clean();
    expect(check(history, ledger, { nobodyFenced: true })).toEqual([]);
  });

  test('holds a gap that was announced against nobody', () => {
    const { history, ledger } = clean();
    const third = framesOf(history, 'ada@b')[2]!;
    history.frames.splice(history.frames.indexOf(third), 1, {
      client: 'ada@b',
      atMs: third.atMs,
      type: 'subscribed',
      room: ROOM,
      seq: 3,
      recovered: false,
    });
    expect(check(history, ledger, { nobodyFenced: true })).toEqual([]);
  });

  test('holds its own lateness against nobody', () => {
    const { history, ledger } = clean();
    history.frames.push(message('ben@b', 1_060, 2, 'op-2'));
    history.lag.push({ atMs: 1_055, lateMs: 50 });
    expect(check(history, ledger, { nobodyFenced: true })).toEqual([]);
  });

  test.each(SEEDED)('finds with rule "%s": %s', (rule, _, doctor) => {
    const { history, ledger } = clean();
    doctor(history, ledger);
    expect(
      check(history, ledger, { nobodyFenced: true }).map((violation) => violation.rule),
    ).toContain(rule);
  });
});
