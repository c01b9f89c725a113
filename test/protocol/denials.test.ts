/**
 * A refusal by the policy over a WebSocket: its code, an id to explain it by, and a connection that
 * stays (contract sections 2 and 6).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '@wardroom/protocol';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { RawClient } from '../support/raw-client.js';
import { eventually, expectError, live } from './harness.js';

const DECISION = { decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/) };
let world: World;
let owner: SignedIn;
let admin: SignedIn;
let people: Record<'member' | 'viewer' | 'muted' | 'stranger' | 'banned' | 'guest', SignedIn>;
let rooms: Record<'private' | 'public' | 'moderated' | 'direct', string>;
let slug: string;
let message: string;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  [owner, admin] = [await world.user('owner'), await world.user('admin', 'admin')];
  const [member, viewer, muted, stranger, banned] = (await world.users(
    'member',
    'viewer',
    'muted',
    'stranger',
    'banned',
  )) as [SignedIn, SignedIn, SignedIn, SignedIn, SignedIn];
  const { body } = await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } });
  people = {
    member,
    viewer,
    muted,
    stranger,
    banned,
    guest: { ...stranger, token: body.access_token },
  };
  slug = unique('secret');
  const members: [SignedIn, string][] = [
    [member, 'member'],
    [viewer, 'viewer'],
    [muted, 'member'],
    [banned, 'member'],
  ];
  rooms = {
    private: await world.room(owner, { slug }, members),
    public: await world.room(owner, { visibility: 'public' }, members),
    moderated: await world.room(owner, { posting: 'moderators' }, members),
    direct: (
      await call(nodeA(), '/v1/rooms', {
        token: owner.token,
        body: { visibility: 'direct', members: [member.id] },
      })
    ).body.id,
  };
  for (const room of [rooms.private, rooms.public]) {
    const patch = (user: SignedIn, change: unknown) =>
      call(nodeA(), `/v1/rooms/${room}/members/${user.id}`, {
        method: 'PATCH',
        token: owner.token,
        body: change,
      });
    await patch(muted, { muted_until: new Date(Date.now() + 3_600_000).toISOString() });
    await patch(banned, { banned: true });
  }
  message = await post(rooms.private);
});

const post = async (room: string): Promise<string> =>
  (await call(nodeA(), `/v1/rooms/${room}/messages`, { token: owner.token, body: { body: 'hi' } }))
    .body.message_id;
const writes = (room: string) => [
  { type: 'publish', room, op_id: 'o', body: 1 },
  { type: 'signal', room, kind: 'k', body: 1 },
  { type: 'typing', room, on: true },
  { type: 'react', room, message_id: message, emoji: '👍', on: true },
];
const reads = (room: string) => [
  { type: 'subscribe', room },
  { type: 'presence', room },
];

async function expectAllRefused(
  client: RawClient,
  frames: Record<string, unknown>[],
  code: ErrorCode,
): Promise<void> {
  for (const frame of frames) expectError(await client.ask(frame), code, DECISION);
  await client.settled();
}

describe('not_found', () => {
  test.each(['stranger', 'banned', 'guest'] as const)(
    'a private room does not exist for a %s, whatever is asked',
    async (who) => {
      const client = await live(wsUrl(nodeB()), people[who].token);
      const about = [
        { type: 'read', room: rooms.private, seq: 1 },
        { type: 'edit', room: rooms.private, message_id: message, body: 1 },
        { type: 'delete', room: rooms.private, message_id: message },
      ];
      await expectAllRefused(
        client,
        [...reads(rooms.private), ...writes(rooms.private), ...about],
        'not_found',
      );
    },
  );

  test('a banned person does not see a public room either', async () => {
    await expectAllRefused(
      await live(wsUrl(nodeA()), people.banned.token),
      [...reads(rooms.public), ...writes(rooms.public)],
      'not_found',
    );
  });

  test('a slug tells a stranger nothing: unsubscribe answers as for a room that is not there', async () => {
    const client = await live(wsUrl(nodeA()), people.stranger.token);
    for (const room of [slug, 'no-such-room'])
      await expectAllRefused(
        client,
        [
          { type: 'unsubscribe', room },
          { type: 'subscribe', room },
        ],
        'not_found',
      );
  });

  test('a direct room does not exist for a tenant admin, nor any room for an operator', async () => {
    await expectAllRefused(
      await live(wsUrl(nodeA()), admin.token),
      [...reads(rooms.direct), ...writes(rooms.direct)],
      'not_found',
    );
    await expectAllRefused(
      await live(wsUrl(nodeA()), world.operator()),
      reads(rooms.public),
      'not_found',
    );
  });

  test('another tenant sees no room, by id or slug', async () => {
    const eve = await (await World.create()).user('eve', 'admin');
    await expectAllRefused(
      await live(wsUrl(nodeA()), eve.token),
      [...reads(rooms.public), ...reads(slug)],
      'not_found',
    );
  });

  test('a message of another room or of nobody is not found', async () => {
    const client = await live(wsUrl(nodeA()), owner.token);
    const elsewhere = await post(rooms.public);
    for (const message_id of [elsewhere, owner.id]) {
      for (const frame of [
        { type: 'edit', body: 1 },
        { type: 'delete' },
        { type: 'react', emoji: '👍', on: true },
      ])
        expectError(await client.ask({ ...frame, room: rooms.private, message_id }), 'not_found');
    }
  });
});

describe('every other missing right has its own code', () => {
  test('not_a_member: a reader of a public room writes nothing', async () => {
    const client = await live(wsUrl(nodeA()), people.stranger.token);
    expect(await client.subscribe(rooms.public)).toMatchObject({ type: 'subscribed', role: null });
    await expectAllRefused(
      client,
      [...writes(rooms.public), { type: 'read', room: rooms.public, seq: 0 }],
      'not_a_member',
    );
  });

  test('guest_read_only: a guest reads public rooms and writes nothing', async () => {
    const client = await live(wsUrl(nodeA()), people.guest.token);
    expect(await client.subscribe(rooms.public)).toMatchObject({ type: 'subscribed', role: null });
    const inPublic = await post(rooms.public);
    await expectAllRefused(
      client,
      [
        ...writes(rooms.public),
        { type: 'read', room: rooms.public, seq: 0 },
        { type: 'delete', room: rooms.public, message_id: inPublic },
      ],
      'guest_read_only',
    );
  });

  test('read_only: a viewer, and a plain member where moderators post', async () => {
    await expectAllRefused(
      await live(wsUrl(nodeA()), people.viewer.token),
      writes(rooms.private),
      'read_only',
    );
    await expectAllRefused(
      await live(wsUrl(nodeA()), people.member.token),
      writes(rooms.moderated),
      'read_only',
    );
  });

  test('muted: writes nothing, reads, and may delete own', async () => {
    const own = await world.room(owner, {}, [[people.muted, 'member']]);
    const client = await live(wsUrl(nodeB()), people.muted.token);
    const { message_id } = await client.publish(own, 'mine');
    await call(nodeA(), `/v1/rooms/${own}/members/${people.muted.id}`, {
      method: 'PATCH',
      token: owner.token,
      body: { muted_until: new Date(Date.now() + 3_600_000).toISOString() },
    });
    await expectAllRefused(
      client,
      [...writes(own), { type: 'edit', room: own, message_id, body: 1 }],
      'muted',
    );
    expect(await client.subscribe(own)).toMatchObject({ type: 'subscribed' });
    expect(await client.ask({ type: 'delete', room: own, message_id })).toMatchObject({
      type: 'ack',
    });
  });

  test('role_required: nobody edits what another wrote, and a member does not delete it', async () => {
    const client = await live(wsUrl(nodeA()), people.member.token);
    await expectAllRefused(
      client,
      [
        { type: 'edit', room: rooms.private, message_id: message, body: 1 },
        { type: 'delete', room: rooms.private, message_id: message },
      ],
      'role_required',
    );
    await expectAllRefused(
      await live(wsUrl(nodeA()), admin.token),
      [{ type: 'edit', room: rooms.private, message_id: message, body: 1 }],
      'role_required',
    );
  });
});

test('a decision_id is explained to the tenant admin, and not to another tenant', async () => {
  const client = await live(wsUrl(nodeB()), people.viewer.token);
  const { decision_id } = await client.publish(rooms.private, 'x');
  const path = `/v1/admin/decisions/${decision_id}`;
  const ask = (token: string) => call(nodeA(), path, { token }).catch(() => null);
  const explained = await eventually(
    () => ask(admin.token),
    (answer) => answer !== null,
    'the decision',
  );
  expect(explained!.body).toMatchObject({
    id: decision_id,
    user: people.viewer.id,
    room: rooms.private,
    action: 'publish',
    code: 'read_only',
    rule: expect.any(String),
  });
  const eve = await (await World.create()).user('eve', 'admin');
  await call(nodeA(), path, { token: eve.token, expect: 404 });
});
