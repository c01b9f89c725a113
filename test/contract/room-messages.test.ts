/** Messages over REST, against the rights table of the contract (section 2). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { SignedIn, World } from '../support/world.js';
import { as, patch, remove, codeOf, roomPeople } from './room-people.js';

let world: World;
let owner: SignedIn;
let member: SignedIn;

beforeAll(async () => {
  ({ world, owner, member } = await roomPeople());
});

describe('messages', () => {
  test('are published once per Idempotency-Key and read in pages', async () => {
    const room = await world.room(owner, {}, [[member, 'viewer']]);
    const publish = (body: unknown, key?: string, expect?: number) =>
      as(owner, `/v1/rooms/${room}/messages`, {
        body: { body },
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
        ...(expect === undefined ? {} : { expect }),
      });
    const first = await publish({ text: 'one' }, 'op-1', 201);
    expect(first.body).toMatchObject({ room, op_id: 'op-1', seq: 1, duplicate: false });
    expect((await publish({ text: 'one' }, 'op-1', 200)).body).toMatchObject({
      message_id: first.body.message_id,
      seq: 1,
      duplicate: true,
    });
    expect(await codeOf(publish({ text: 'other' }, 'op-1', 409))).toBe('op_conflict');
    await publish('two');
    await publish(null);
    const page = await as(member, `/v1/rooms/${room}/messages?limit=2`);
    expect(page.body.items.map((item: { seq: number }) => item.seq)).toEqual([3, 2]);
    expect(
      (await as(member, `/v1/rooms/${room}/messages?limit=2&cursor=${page.body.next_cursor}`)).body
        .items,
    ).toMatchObject([{ seq: 1, body: { text: 'one' } }]);
    expect(
      (await as(member, `/v1/rooms/${room}/messages?after=1`)).body.items.map(
        (item: { seq: number }) => item.seq,
      ),
    ).toEqual([2, 3]);
    expect(
      await codeOf(as(member, `/v1/rooms/${room}/messages`, { body: { body: 1 }, expect: 403 })),
    ).toBe('read_only');
  });

  test('are edited by their author and deleted by author or moderators', async () => {
    const room = await world.room(owner, {}, [[member, 'member']]);
    const { body: message } = await as(member, `/v1/rooms/${room}/messages`, {
      body: { body: 'a' },
    });
    const path = `/v1/rooms/${room}/messages/${message.message_id}`;
    expect((await patch(member, path, { body: 'b' })).body).toMatchObject({
      room,
      message_id: message.message_id,
      seq: 2,
    });
    expect(await codeOf(patch(owner, path, { body: 'c' }, 403))).toBe('role_required');
    expect((await remove(owner, path)).body).toMatchObject({ seq: 3 });
    expect((await as(member, `/v1/rooms/${room}/messages`)).body.items[0]).toMatchObject({
      body: null,
      deleted_at: expect.any(String),
    });
    expect(await codeOf(remove(owner, `/v1/rooms/${room}/messages/${room}`, 404))).toBe(
      'not_found',
    );
  });

  test.each([
    ['a body that is too big', JSON.stringify({ body: 'x'.repeat(33_000) }), 413, 'too_big'],
    [
      'a body nested too deep',
      `{"body":${'['.repeat(40)}${']'.repeat(40)}}`,
      422,
      'invalid_request',
    ],
    [
      'a body nested as deep as the request allows',
      `{"body":${'['.repeat(90_000)}${']'.repeat(90_000)}}`,
      422,
      'invalid_request',
    ],
    ['NUL deep inside a body', '{"body":{"a":["\\u0000"]}}', 422, 'invalid_request'],
    ['a lone surrogate in a key', '{"body":{"\\udc00":1}}', 422, 'invalid_request'],
    ['no body', '{}', 422, 'invalid_request'],
    ['broken JSON', '{', 400, 'invalid_request'],
  ])('refuse %s', async (_, body, status, code) => {
    const room = await world.room(owner);
    expect(await codeOf(as(owner, `/v1/rooms/${room}/messages`, { body, expect: status }))).toBe(
      code,
    );
  });
});
