/**
 * 247 conversations that use or break RFC 6455 (crossbario/autobahn-testsuite), before and after
 * authentication. Where the server must fail the connection it does so with the right status and
 * our JSON reason, where all is well it does not, and nobody else notices. The cases were written
 * for an echo server: their text is no frame of ours, and we take no binary.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CLOSE_CODES, closeReasonSchema } from '@wardroom/protocol';
import type { CloseCode } from '@wardroom/protocol';
import { expectLegalFrames, within } from '../protocol/harness.js';
import { OP, RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { World, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { describeVectors } from './vectors.js';
import { Witness } from './witness.js';

interface Op {
  op: 'frame' | 'raw_part' | 'wait' | 'expect_end_within';
  opcode: number;
  fin: boolean;
  rsv: number;
  payload_hex?: string;
  repeat_hex?: string;
  repeat?: number;
  chop?: number | null;
  frame_len: number;
}

interface Case {
  id: string;
  ops: Op[];
  expect_close: { closedByMe: boolean; closeCode: number[] };
}

const AT_ONCE = 8;
/** The additions of our own limits and the lack of binary frames to RFC 6455. */
const FRAME_BYTES_MAX = 65_536;
/** Their outcome is undefined or depends on timing, says the suite: any right end will do. */
const INFORMATIONAL = /^7\.(1\.6|13\.)/;
const OP_PONG = 10;

let ada: SignedIn;
let witness: Witness;

const payloadOf = ({ payload_hex = '', repeat_hex = '', repeat = 0 }: Op): Buffer =>
  Buffer.from(payload_hex + repeat_hex.repeat(repeat), 'hex');

/** The writes of a case; pieces of one frame go out one by one, in packets of their own. */
function writesOf({ ops }: Case): Buffer[] {
  const parts = ops.filter(({ op }) => op === 'raw_part');
  const [first] = parts;
  const chopped: Buffer[] = [];
  if (first !== undefined) {
    const whole = bytesOf(Buffer.concat(parts.map(payloadOf)));
    // The head, of 6 bytes, goes with the first piece.
    let at = 0;
    parts.forEach((part, i) => {
      const end = at + payloadOf(part).length + (i === 0 ? whole.length - first.frame_len : 0);
      chopped.push(whole.subarray(at, end));
      at = end;
    });
  }
  const frames = ops
    .filter(({ op }) => op === 'frame')
    .flatMap((op) => {
      const bytes = bytesOf(payloadOf(op), { op: op.opcode, fin: op.fin, reserved: op.rsv });
      const size = op.chop ?? bytes.length;
      return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
    });
  return [...chopped, ...frames];
}

/**
 * The statuses with which it may end: those of the suite, and those of ours that its messages
 * deserve.
 */
function mayEndWith({ id, ops, expect_close }: Case, authenticated: boolean): Set<number> {
  const statuses = new Set(expect_close.closeCode);
  const frames = ops.filter(({ op }) => op === 'frame');
  if (frames.some((op) => payloadOf(op).length > FRAME_BYTES_MAX))
    statuses.add(CLOSE_CODES.too_big.status);
  const complete = messagesBefore(frames);
  if (complete.has(OP.binary)) statuses.add(CLOSE_CODES.unsupported_data.status);
  if (!authenticated && complete.has(OP.text)) statuses.add(CLOSE_CODES.auth_missing.status);
  if (INFORMATIONAL.test(id)) for (const status of [1000, 1002, 1005]) statuses.add(status);
  return statuses;
}

/** The kinds of message that are complete somewhere in the conversation. */
function messagesBefore(frames: Op[]): Set<number> {
  const complete = new Set<number>();
  let open = 0;
  for (const { opcode, fin } of frames) {
    if (opcode === OP.text || opcode === OP.binary) open = opcode;
    if (fin && open !== 0 && opcode <= OP.binary) complete.add(open);
  }
  return complete;
}

async function converse(one: Case, authenticated: boolean): Promise<string | null> {
  const peer = RawSocket.open(
    authenticated ? nodeA() : nodeB(),
    authenticated ? { headers: { Authorization: `Bearer ${ada.token}` } } : {},
  );
  const first = authenticated ? 'auth_ok' : 'hello';
  await peer.until(first, ({ frames }) => frames.some(({ type }) => type === first));
  peer.socket.setNoDelay(true);
  for (const bytes of writesOf(one))
    await new Promise<void>((resolve) => peer.socket.write(bytes, () => resolve()));
  const closes = one.ops.some(({ op, opcode }) => op === 'frame' && opcode === OP.close);
  if (!closes && one.expect_close.closedByMe)
    peer.socket.write(bytesOf(Buffer.from([0x03, 0xe8]), { op: OP.close }));
  await within(peer.ended, `end of ${one.id}`);
  return troubleIn(one, peer, authenticated);
}

function troubleIn(one: Case, { close, frames }: RawSocket, authenticated: boolean): string | null {
  expectLegalFrames(frames);
  // Dropping the TCP connection is a right way to fail it; we do better, so it is none here.
  if (close === null) return 'no close frame';
  // An empty or bare close is answered in kind.
  const bare = one.ops.some(
    (op) => op.op === 'frame' && op.opcode === OP.close && payloadOf(op).length === 0,
  );
  if (!mayEndWith(one, authenticated).has(close.code) && !(bare && close.code === 1005))
    return `closed with ${close.code} ${close.raw}`;
  if (close.raw === '')
    return frames.at(-1)?.type === 'goodbye' ? 'goodbye without a reason' : null;
  const { code, action } = closeReasonSchema.parse(JSON.parse(close.raw));
  const { status, action: expected } = CLOSE_CODES[code as CloseCode];
  if (status !== close.code || action !== expected)
    return `the reason ${close.raw} does not belong to ${close.code}`;
  return frames.at(-1)?.type === 'goodbye' && frames.at(-1).code === code
    ? null
    : `the last frame is ${JSON.stringify(frames.at(-1))}`;
}

async function all(cases: Case[], authenticated: boolean): Promise<string[]> {
  const wrong: string[] = [];
  const waiting = [...cases];
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const trouble = await converse(one, authenticated).catch((error: unknown) => String(error));
      if (trouble !== null) wrong.push(`${one.id}: ${trouble}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await witness.unharmed();
  return wrong;
}

describeVectors(
  'conversations that use and break RFC 6455',
  'autobahn_ws_cases.json',
  ({ cases }: { cases: Case[] }) => {
    beforeAll(async () => {
      const world = await World.create();
      ada = await world.user('ada');
      witness = await Witness.start(world);
    });

    afterAll(() => witness.stop());

    test('there are cases of both kinds', () => {
      expect(cases).toHaveLength(247);
      expect(cases.filter(({ expect_close }) => !expect_close.closedByMe)).toHaveLength(105);
    });

    test(
      'before authentication each ends as RFC 6455 or the protocol says',
      async () => expect(await all(cases, false)).toEqual([]),
      120_000,
    );

    test(
      'after authentication each ends as RFC 6455 or the protocol says',
      async () => expect(await all(cases, true)).toEqual([]),
      120_000,
    );
  },
);

test('a ping is answered by a pong with its payload', async () => {
  const peer = RawSocket.open(nodeA());
  await peer.until('hello', ({ frames }) => frames.length > 0);
  const seen: Buffer[] = [];
  peer.socket.on('data', (chunk: Buffer) => seen.push(chunk));
  peer.socket.write(bytesOf('still there?', { op: OP.ping }));
  const pong = Buffer.concat([Buffer.from([0x80 | OP_PONG, 12]), Buffer.from('still there?')]);
  await peer.until('pong', () => Buffer.concat(seen).includes(pong));
  peer.socket.destroy();
});
