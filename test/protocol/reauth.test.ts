/** `auth_refresh` replaces the whole context of a connection, or leaves the old one as it was. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES } from '@wardroom/protocol';
import type { ErrorCode } from '@wardroom/protocol';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { badToken, expectClosed, live } from './harness.js';

const origin = process.env['TEST_ALLOWED_ORIGIN']!;
let world: World;
let ada: SignedIn;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada');
});

const authError = (code: ErrorCode) => ({
  type: 'auth_error',
  id: expect.any(String),
  code,
  action: ERROR_CODES[code].action,
  message: ERROR_CODES[code].message,
});

describe('auth_refresh', () => {
  test('with a newer token of the session answers auth_ok with the life of that token', async () => {
    const client = await live(wsUrl(nodeA()), ada.token);
    const { body } = await call(nodeB(), '/v1/auth/refresh', {
      body: { refresh_token: ada.refresh },
    });
    expect(await client.ask({ type: 'auth_refresh', token: body.access_token })).toMatchObject({
      type: 'auth_ok',
      session_id: ada.session,
      user_id: ada.id,
    });
  });

  test.each([
    ['another user', () => world.user('ben')],
    ['another session of the same user', () => world.login(ada)],
    ['another tenant', async () => (await World.create()).user('eve')],
  ])('as %s is 1008 identity_mismatch', async (_, other) => {
    const client = await live(wsUrl(nodeA()), ada.token);
    client.send({ type: 'auth_refresh', token: (await other()).token });
    await expectClosed(client, 'identity_mismatch');
    expect(client.of('auth_ok')).toHaveLength(1);
  });

  test.each([
    ['a token that is none', () => ({ token: unique('x') })],
    ['a token with a wrong signature', () => ({ token: badToken() })],
    ['a ticket that is none', () => ({ ticket: unique('x') })],
    [
      'a spent ticket',
      async () => {
        const { body } = await call(nodeA(), '/v1/auth/ticket', {
          method: 'POST',
          token: ada.token,
        });
        const spender = await live(wsUrl(nodeA()), ada.token);
        await spender.ask({ type: 'auth_refresh', ticket: body.ticket });
        return { ticket: body.ticket };
      },
    ],
    [
      'a ticket of another Origin',
      async () => ({
        ticket: (
          await call(nodeA(), '/v1/auth/ticket', {
            method: 'POST',
            token: ada.token,
            headers: { origin },
          })
        ).body.ticket,
      }),
    ],
  ])(
    'with %s is auth_error, and the old context lives: it still acts and receives',
    async (_, credential) => {
      const room = await world.room(ada);
      const client = await live(wsUrl(nodeB()), ada.token);
      await client.subscribe(room);
      expect(await client.ask({ type: 'auth_refresh', ...(await credential()) })).toEqual(
        authError('auth_invalid'),
      );
      expect(await client.publish(room, 'still me')).toMatchObject({ type: 'ack', seq: 1 });
      expect(await client.next('message')).toMatchObject({ body: 'still me', sender: ada.id });
    },
  );

  test('frames behind it are judged by the new context: they wait for its answer', async () => {
    const room = await world.room(ada);
    const client = await live(wsUrl(nodeA()), ada.token);
    const { body } = await call(nodeA(), '/v1/auth/ticket', { method: 'POST', token: ada.token });
    client.send({ type: 'auth_refresh', ticket: body.ticket, id: 'r' });
    client.send({ type: 'publish', room, op_id: 'o', body: 1, id: 'p' });
    await client.next((frame) => frame.id === 'p');
    expect(client.frames.slice(-2).map(({ type, id }) => [type, id])).toEqual([
      ['auth_ok', 'r'],
      ['ack', 'p'],
    ]);
  });

  test('many times in a row ends with one living context', async () => {
    const room = await world.room(ada);
    const client = await live(wsUrl(nodeA()), ada.token);
    await client.subscribe(room);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.ask({ type: 'auth_refresh', token: ada.token })),
    );
    expect(answers.map(({ type }) => type)).toEqual(Array.from({ length: 10 }, () => 'auth_ok'));
    await client.publish(room, 'once');
    await client.next('message');
    await client.settled();
    expect(client.of('message')).toHaveLength(1);
  });
});
