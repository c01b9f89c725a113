/**
 * Frames that were right until something happened to them (fast-check): a member lost, added,
 * renamed, of another type, out of bounds; text cut, doubled, stained. Each gets one answer of the
 * protocol at once; the node survives and nobody else notices. On a failure fast-check prints seed
 * and path; FUZZ_SEED repeats a run.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS } from '@wardroom/protocol';
import { badToken, expectLegalFrames } from '../protocol/harness.js';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { promptly } from './promptly.js';
import { FULL } from './vectors.js';
import { Witness } from './witness.js';

const RUNS = FULL ? 1_000 : 80;
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** Codes that only trouble of our own explains. */
const OUR_TROUBLE = ['internal', 'unavailable', 'auth_unavailable', 'overloaded'];

let ada: SignedIn;
let room: string;
let message: string;
let witness: Witness;
let listener: RawClient;

beforeAll(async () => {
  const world = await World.create();
  ada = await world.user('ada');
  room = await world.room(ada);
  message = (
    await call(nodeA(), `/v1/rooms/${room}/messages`, { token: ada.token, body: { body: 'x' } })
  ).body.message_id;
  witness = await Witness.start(world);
  // The first question of who is present on a node where nobody listens waits for the other nodes,
  // as it should.
  listener = await RawClient.live(wsUrl(nodeA()), ada.token);
  await listener.subscribe(room);
  await listener.next('presence');
  console.log(`frame fuzz: ${RUNS} runs each, seed ${SEED}`);
});

afterAll(() => {
  witness.stop();
  listener.ws.terminate();
});

/** A frame of every type in good order; ids are filled in when it is sent. */
const good = fc.constantFrom<Record<string, unknown>>(
  { type: 'subscribe', room: 'ROOM' },
  { type: 'subscribe', room: 'ROOM', since: 0 },
  { type: 'unsubscribe', room: 'ROOM' },
  { type: 'publish', room: 'ROOM', op_id: 'OP', body: { text: 'x' }, kind: 'text' },
  { type: 'edit', room: 'ROOM', message_id: 'MESSAGE', body: [1, 2] },
  { type: 'delete', room: 'ROOM', message_id: 'MESSAGE' },
  { type: 'react', room: 'ROOM', message_id: 'MESSAGE', emoji: '+1', on: true },
  { type: 'signal', room: 'ROOM', kind: 'wave', body: null },
  { type: 'typing', room: 'ROOM', on: true },
  { type: 'read', room: 'ROOM', seq: 1 },
  { type: 'presence', room: 'ROOM' },
  { type: 'ping' },
  { type: 'auth_refresh', token: 'TOKEN' },
);

const member = fc.constantFrom(
  'type',
  'id',
  'room',
  'op_id',
  'body',
  'kind',
  'message_id',
  'emoji',
  'on',
  'seq',
  'since',
  'token',
  'ticket',
  '__proto__',
  'constructor',
);

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    -0,
    0.5,
    2 ** 53,
    1e308,
    'x'.repeat(70),
    '',
    '\0',
    '\ud800',
    [],
    {},
    [[]],
    { toString: 1 },
    { __proto__: null },
  ),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.jsonValue({ maxDepth: 5 }),
  fc
    .integer({ min: 1, max: 60 })
    .map((depth) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown),
  fc.constant('x'.repeat(LIMITS.bodyBytes + 1)),
);

type Change = (frame: [string, unknown][]) => [string, unknown][];

const change = fc.oneof(
  member.map(
    (name): Change =>
      (frame) =>
        frame.filter(([key]) => key !== name),
  ),
  fc
    .tuple(member, odd)
    .map(([name, value]): Change => (frame) => [
      ...frame.filter(([key]) => key !== name),
      [name, value],
    ]),
  fc.tuple(member, odd).map(([name, value]): Change => (frame) => [...frame, [name, value]]),
  fc.tuple(member, member).map(
    ([from, to]): Change =>
      (frame) =>
        frame.map(([key, value]) => [key === from ? to : key, value]),
  ),
);

/** Written by hand, because a member may stand in it twice. */
const write = (frame: [string, unknown][]): string =>
  `{${frame.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;

type Stain = (bytes: Buffer) => Buffer;

const stain = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Stain>((bytes) => bytes) },
  {
    weight: 1,
    arbitrary: fc.nat(200).map(
      (at): Stain =>
        (bytes) =>
          bytes.subarray(0, at % (bytes.length + 1)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(200), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(
      ([at, more]): Stain =>
        (bytes) =>
          spliced(bytes, at, more),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Stain>((bytes) => Buffer.concat([bytes, bytes])) },
);

const spliced = (bytes: Buffer, at: number, more: Uint8Array): Buffer => {
  const place = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
};

const fuzzed = fc
  .tuple(good, fc.array(change, { minLength: 1, maxLength: 3 }), stain)
  .map(([frame, changes, stained]) =>
    stained(Buffer.from(write(changes.reduce((now, apply) => apply(now), Object.entries(frame))))),
  );

/** Same length or not does not matter: what stands for an id is replaced in the bytes. */
function filled(bytes: Buffer): Buffer {
  const names: Record<string, string> = {
    ROOM: room,
    MESSAGE: message,
    OP: `op-${Math.random().toString(36).slice(2)}`,
    TOKEN: badToken(),
  };
  return Object.entries(names).reduce((now, [name, value]) => {
    const at = now.indexOf(`"${name}"`);
    return at === -1
      ? now
      : Buffer.concat([
          now.subarray(0, at + 1),
          Buffer.from(value),
          now.subarray(at + 1 + name.length),
        ]);
  }, bytes);
}

const check = (property: fc.IAsyncProperty<[Buffer]>) =>
  fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: !FULL });

function expectNoTroubleOfOurs({ frames, close }: RawSocket): void {
  expectLegalFrames(frames);
  expect(frames.filter(({ code }) => OUR_TROUBLE.includes(code))).toEqual([]);
  if (close !== null) expect(OUR_TROUBLE).not.toContain(JSON.parse(close.raw).code);
}

describe('frames that something happened to', () => {
  test('before authentication: closed with a code', async () => {
    await check(
      fc.asyncProperty(fuzzed, async (bytes) => {
        const peer = await promptly('a first frame', async () => {
          const opened = RawSocket.open(nodeB());
          await opened.until('hello', ({ frames }) => frames.length > 0);
          opened.socket.write(bytesOf(bytes));
          await opened.untilClosed();
          return opened;
        });
        expectNoTroubleOfOurs(peer);
        expect(['auth_missing', 'invalid_utf8', 'too_big']).toContain(
          JSON.parse(peer.close!.raw).code,
        );
        peer.socket.destroy();
      }),
    );
    await witness.unharmed();
  }, 300_000);

  test('after authentication: answered or refused with a code, and the next ping is answered', async () => {
    let peer: RawSocket | null = null;
    let sent = 0;
    const alive = async (): Promise<RawSocket> => {
      if (peer !== null && peer.close === null && sent < 18) return peer;
      peer?.socket.destroy();
      sent = 0;
      const opened = RawSocket.open(nodeA(), { headers: { Authorization: `Bearer ${ada.token}` } });
      await opened.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
      peer = opened;
      return opened;
    };
    await check(
      fc.asyncProperty(fuzzed, async (bytes) => {
        const used = await promptly('a frame', async () => {
          const live = await alive();
          const id = `after-${(sent += 1)}`;
          live.socket.write(
            Buffer.concat([bytesOf(filled(bytes)), bytesOf(JSON.stringify({ type: 'ping', id }))]),
          );
          await live.until(
            'answer',
            ({ frames, close }) =>
              close !== null || frames.some((frame) => frame.type === 'pong' && frame.id === id),
          );
          return live;
        });
        expectNoTroubleOfOurs(used);
      }),
    );
    await witness.unharmed();
  }, 300_000);
});
