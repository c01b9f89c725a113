/**
 * Values that nodes read from Redis are checked before anything acts on them; those of a newer
 * version are let alone.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readConfirmation, readEvents } from '../../../src/authority/stream-shapes.js';
import { newId } from '../../../src/platform/ids.js';
import { kindOf, servesElsewhere } from '../../../src/platform/stores/redis/redis-trouble.js';
import { readBusMessage } from '../../../src/gateway/delivery/bus-message.js';

const room = newId();
const event = { room, seq: 1, epoch: 0, frame: '{}' };
const transient = { room, session: newId(), epoch: 0, frame: '{}' };
const state = { room, users: ['u'], count: 1 };

describe('a message of a room', () => {
  test.each([
    { kind: 'events', events: [event] },
    { kind: 'events', events: [{ ...event, later: true }], later: true },
    { kind: 'transient', frames: [transient] },
    { kind: 'own', changes: [{ room, user: newId() }] },
    { kind: 'presence', node: 'n', state },
    { kind: 'presence', node: 'n', state: { ...state, users: null } },
    { kind: 'presence_query', node: 'n', room },
  ])('is taken as it is: %j', (message) => {
    expect(readBusMessage(message, room)).toEqual(message);
  });

  test.each([
    null,
    'x',
    7,
    [],
    {},
    { kind: 'from-a-newer-version' },
    { kind: '__proto__' },
    { kind: 'events' },
    { kind: 'events', events: {} },
    { kind: 'events', events: [null] },
    { kind: 'events', events: [{ ...event, room: newId() }] },
    { kind: 'events', events: [{ ...event, seq: -1 }] },
    { kind: 'events', events: [{ ...event, seq: 1.5 }] },
    { kind: 'events', events: [{ ...event, seq: 1e300 }] },
    { kind: 'events', events: [{ ...event, epoch: '0' }] },
    { kind: 'events', events: [event, { ...event, frame: {} }] },
    { kind: 'transient', frames: [{ ...transient, session: null }] },
    { kind: 'transient', frames: [{ ...transient, room: newId() }] },
    { kind: 'own', changes: [{ room, user: null }] },
    { kind: 'own', changes: [{ room: newId(), user: newId() }] },
    { kind: 'own', changes: null },
    { kind: 'presence', state: null },
    { kind: 'presence', node: 'n', state: { ...state, room: newId() } },
    { kind: 'presence', node: 'n', state: { ...state, users: [1] } },
    { kind: 'presence', node: 'n', state: { ...state, count: 'many' } },
    { kind: 'presence_query', node: 'n', room: newId() },
  ])('is not understood, and not thrown about: %j', (message) => {
    expect(readBusMessage(message, room)).toBeUndefined();
  });
});

describe('an entry of the stream', () => {
  const ended = { kind: 'session.ended', sessions: [newId()], reason: 'session_revoked' };
  const link = { prev: 'a'.repeat(64), hash: 'b'.repeat(64) };

  test('is taken, without what a newer node adds', () => {
    expect(readEvents([{ n: 3, ...link, event: { ...ended, later: 1 } }])).toEqual([
      { n: 3, ...link, event: ended },
    ]);
    expect(readEvents([{ n: null, event: { kind: 'key.added', kid: 'k' } }])).toHaveLength(1);
    const told = {
      at: { history: newId(), n: 3, hash: link.hash },
      hashes: [link.hash],
      closed: { 2: 1 },
    };
    expect(readConfirmation({ ...told, later: true })).toEqual(told);
  });

  test.each([
    null,
    {},
    [{}],
    [{ n: 1, event: ended }],
    [{ n: -1, ...link, event: ended }],
    [{ n: 1, ...link, event: { kind: 'from.a.newer.version' } }],
    [{ n: 1, ...link, event: { ...ended, sessions: ['x'] } }],
  ])('is not understood: %j', (events) => expect(readEvents(events)).toBeUndefined());

  const at = { history: newId(), n: 1, hash: link.hash };
  test.each([
    null,
    {},
    { at },
    // A bare number, as nodes said before positions had a history.
    { position: 1, closed: {} },
    { at: { ...at, n: 1.5 }, hashes: [], closed: {} },
    { at: { ...at, hash: 'x' }, hashes: [], closed: {} },
    { at, hashes: ['x'], closed: {} },
    { at, hashes: [], closed: { x: 1 } },
    { at, hashes: [], closed: { 1: 'x' } },
  ])('nor is a confirmation: %j', (confirmation) =>
    expect(readConfirmation(confirmation)).toBeUndefined(),
  );
});

describe('an error of Redis', () => {
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

  test.each([
    ['READONLY You cannot write against a read only replica.', 'READONLY', true],
    ['LOADING Redis is loading the dataset in memory', 'LOADING', true],
    ['MASTERDOWN Link with MASTER is down', 'MASTERDOWN', true],
    ['NOAUTH Authentication required.', 'NOAUTH', true],
    ['NOPERM this user has no permissions', 'NOPERM', true],
    ['UNBLOCKED force unblock from blocking operation', 'UNBLOCKED', true],
    ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', true],
    ['OOM command not allowed', 'OOM', false],
    ['WRONGTYPE Operation against a key', 'WRONGTYPE', false],
    ['whatever it may say', 'ERR', false],
    ['INVENTED label without end', 'ERR', false],
  ])('%s', (message, kind, elsewhere) => {
    expect([kindOf(reply(message)), servesElsewhere(reply(message))]).toEqual([kind, elsewhere]);
  });

  test('of the connection is no answer of Redis', () => {
    expect([
      kindOf(new Error('connect ECONNREFUSED')),
      kindOf(new Error('Command timed out')),
    ]).toEqual(['connection', 'timeout']);
  });
});

test('no name in Redis is spelt outside redis-names.ts', () => {
  const src = join(import.meta.dirname, '../../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== 'platform/stores/redis/redis-names.ts',
  );
  expect(files.length).toBeGreaterThan(100);
  expect(
    files.filter((file) => /['"`]wardroom:/.test(readFileSync(join(src, file), 'utf8'))),
  ).toEqual([]);
});
