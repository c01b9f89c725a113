/**
 * An invalid frame is answered with `invalid_frame` or `too_big`, with its id, and the connection
 * stays; too many end it.
 */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ERROR_CODES, LIMITS } from '@wardroom/protocol';
import { World, call, nodeA, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { expectClosed, live } from './harness.js';

let world: World;
let ada: SignedIn;
let room: string;
let client: RawClient;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
  room = await world.room(ada);
});

beforeEach(async () => {
  client = await live(wsUrl(nodeA()), ada.token);
});

/** Nesting of `depth` arrays. */
const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const publish = (body: string, id = 'x'): string =>
  `{"type":"publish","room":"${room}","op_id":"op-${Math.random()}","body":${body},"id":"${id}"}`;
const invalid = (id?: string) => ({
  type: 'error',
  ...(id === undefined ? {} : { id }),
  code: 'invalid_frame',
  action: 'none',
  message: expect.stringContaining(ERROR_CODES.invalid_frame.message),
});

describe('without an id to answer to', () => {
  test.each([
    ['no JSON', 'hello'],
    ['broken JSON', '{"type":"ping"'],
    ['an empty frame', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['a string', '"ping"'],
    ['an array', '[{"type":"ping"}]'],
    ['no type', '{}'],
    ['a type that is no text', '{"type":1}'],
    ['an unknown type', '{"type":"pong"}'],
    ['the name of an inherited property as type', '{"type":"constructor"}'],
    ['an id that is no text', '{"type":"ping","id":1}'],
    ['an empty id', '{"type":"ping","id":""}'],
    ['an id of 65 characters', JSON.stringify({ type: 'ping', id: 'x'.repeat(65) })],
    ['an id with NUL', '{"type":"ping","id":"\\u0000"}'],
  ])('%s is invalid_frame, and the connection stays', async (_, text) => {
    client.send(text);
    expect(await client.next('error')).toEqual(invalid());
    await client.settled();
  });
});

describe('with an id', () => {
  test.each<[string, () => string | object]>([
    ['an unknown type', () => ({ type: 'subscribed', room, id: 'x' })],
    ['an unknown field', () => ({ type: 'ping', id: 'x', extra: 1 })],
    ['a field called __proto__', () => '{"type":"ping","id":"x","__proto__":{}}'],
    ['a missing field', () => ({ type: 'subscribe', id: 'x' })],
    ['a room that is no text', () => ({ type: 'subscribe', room: 7, id: 'x' })],
    ['a negative since', () => ({ type: 'subscribe', room, since: -1, id: 'x' })],
    ['a since with a fraction', () => ({ type: 'subscribe', room, since: 1.5, id: 'x' })],
    ['a publish without op_id', () => ({ type: 'publish', room, body: 1, id: 'x' })],
    ['an empty op_id', () => ({ type: 'publish', room, op_id: '', body: 1, id: 'x' })],
    ['a publish without body', () => ({ type: 'publish', room, op_id: 'o', id: 'x' })],
    ['a message_id that is no id', () => ({ type: 'delete', room, message_id: '1', id: 'x' })],
    [
      'a reaction without on',
      () => ({ type: 'react', room, message_id: ada.id, emoji: '👍', id: 'x' }),
    ],
    [
      'an auth_refresh with two credentials',
      () => ({ type: 'auth_refresh', token: 'x', ticket: 'y', id: 'x' }),
    ],
    ['a nesting of 33', () => publish(deep(32))],
    ['a nesting of 10,000', () => publish(deep(10_000))],
    ['NUL in a body', () => publish('"a\\u0000b"')],
    ['NUL in a key of a body', () => publish('{"a\\u0000":1}')],
    ['a lone high surrogate', () => publish('"\\ud83d"')],
    ['a lone low surrogate', () => publish('{"k":["\\ude00"]}')],
    ['a number no double can hold', () => publish('1e400')],
    ['a type of 60,000 characters', () => ({ type: 'x'.repeat(60_000), id: 'x' })],
  ])('%s is invalid_frame, and the connection stays', async (_, frame) => {
    client.send(frame());
    expect(await client.next('error')).toEqual(invalid('x'));
    await client.settled();
    expect(
      (await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada.token })).body.items,
    ).toEqual([]);
  });

  test('the answer names the field and never repeats a value', async () => {
    client.send({
      type: 'publish',
      room,
      op_id: 'o',
      body: 1,
      kind: 7,
      secret: 'canary-value',
      id: 'x',
    });
    expect((await client.next('error')).message).not.toContain('canary');
    client.send({ type: 'canary-type', id: 'x' });
    expect((await client.next('error')).message).not.toContain('canary');
    client.send({ type: 'subscribe', room, since: 'canary', id: 'x' });
    const { message } = await client.next('error');
    expect(message).toContain('since');
    expect(message).not.toContain('canary');
  });
});

describe('a body', () => {
  test.each<[string, string]>([
    ['null', 'null'],
    ['a nesting of 32 in the frame', deep(31)],
    ['astral text', '"\\ud83d\\ude00 ☂ \\u2028"'],
    ['doubles', '[0.1,1e308,5e-324,-1.5,9007199254740991]'],
    ['keys of objects', '{"":1,"__proto__":{"a":1},"constructor":2,"b":{"toString":null}}'],
  ])('comes back as the same value: %s', async (_, json) => {
    const own = await world.room(ada);
    await client.subscribe(own);
    client.send(`{"type":"publish","room":"${own}","op_id":"o","body":${json}}`);
    const { body } = await client.next('message');
    expect(JSON.stringify(body)).toBe(JSON.stringify(JSON.parse(json)));
    const { body: page } = await call(nodeA(), `/v1/rooms/${own}/messages`, { token: ada.token });
    expect(JSON.stringify(page.items[0].body)).toBe(JSON.stringify(body));
  });

  test('of exactly 32 KiB is taken, one byte more is too_big and the connection stays', async () => {
    const own = await world.room(ada);
    const text = (bytes: number) => 'é'.repeat((bytes - 2) / 2);
    expect(await client.publish(own, text(LIMITS.bodyBytes))).toMatchObject({
      type: 'ack',
      seq: 1,
    });
    const { message_id } = await client.publish(own, 'small');
    const tooBig = `${text(LIMITS.bodyBytes)}x`;
    for (const frame of [
      { type: 'publish', op_id: 'o' },
      { type: 'edit', message_id },
      { type: 'signal', kind: 'k' },
    ]) {
      const answer = await client.ask({ ...frame, room: own, body: tooBig });
      expect(answer).toMatchObject({ type: 'error', code: 'too_big', action: 'none' });
    }
    await client.settled();
  });
});

describe('too many invalid frames', () => {
  test(`the ${LIMITS.invalidFrames}th is 1008 policy_violation; those before were answered`, async () => {
    for (let i = 1; i < LIMITS.invalidFrames; i += 1) {
      client.send({ type: 'nonsense', id: String(i) });
      expect(await client.next('error')).toMatchObject({ id: String(i), code: 'invalid_frame' });
    }
    await client.settled();
    client.send({ type: 'nonsense' });
    await expectClosed(client, 'policy_violation');
  });
});
