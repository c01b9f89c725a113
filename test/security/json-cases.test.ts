/**
 * 340 texts that are JSON, almost JSON, or neither (nst/JSONTestSuite), as REST body and as frame,
 * with and without a credential: the right answer or a coded refusal, at once, and nobody else
 * notices.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CLOSE_CODES } from '@wardroom/protocol';
import { expectLegalFrames } from '../protocol/harness.js';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { World, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { promptly } from './promptly.js';
import { describeVectors } from './vectors.js';
import { Witness } from './witness.js';

interface Case {
  file: string;
  expect: 'y' | 'n' | 'i';
  /** Null: `len` opening brackets. */
  b64: string | null;
  len: number;
}

const FRAME_BYTES_MAX = 65_536;

let ada: SignedIn;
let room: string;
let witness: Witness;

const bytesIn = ({ b64, len }: Case): Buffer =>
  b64 === null ? Buffer.alloc(len, '[') : Buffer.from(b64, 'base64');
const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes);

async function post(
  base: string,
  path: string,
  body: Buffer,
  token?: string,
): Promise<{ status: number; answer: any }> {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(base + path, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  const text = await response.text();
  if (response.status >= 400)
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return { status: response.status, answer: JSON.parse(text) };
}

/** 413 for the two that are larger than anything we read, else 400 or 422. */
const isRefusal = ({ status, answer }: { status: number; answer: any }): boolean =>
  (status === 413 && answer.code === 'too_big') ||
  ([400, 422].includes(status) && answer.code === 'invalid_request');

/** Every case in turn; the answer is what was wrong, by file. */
async function each(cases: Case[], act: (one: Case) => Promise<string | null>): Promise<string[]> {
  const wrong: string[] = [];
  for (const one of cases) {
    const trouble = await act(one).catch((error: unknown) => String(error));
    if (trouble !== null) wrong.push(`${one.file}: ${trouble}`);
  }
  await witness.unharmed();
  return wrong;
}

async function greeted(): Promise<RawSocket> {
  const peer = RawSocket.open(nodeA());
  await peer.until('hello', ({ frames }) => frames.length > 0);
  return peer;
}

async function live(base: string): Promise<RawSocket> {
  const peer = RawSocket.open(base, { headers: { Authorization: `Bearer ${ada.token}` } });
  await peer.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
  return peer;
}

describeVectors(
  'texts that may be JSON',
  'json_parsing_cases.json',
  ({ cases }: { cases: Case[] }) => {
    beforeAll(async () => {
      const world = await World.create();
      ada = await world.user('ada');
      room = await world.room(ada);
      witness = await Witness.start(world);
    });

    afterAll(() => witness.stop());

    test('as the body of a login: refused with a code', async () => {
      const wrong = await each(cases, async (one) => {
        const result = await promptly(one.file, () =>
          post(nodeB(), '/v1/auth/login', bytesIn(one)),
        );
        return isRefusal(result) ? null : JSON.stringify(result);
      });
      expect(wrong).toEqual([]);
    }, 120_000);

    test('as the body of a message over REST: published and read back the same, or refused with a code', async () => {
      let published = 0;
      const wrong = await each(cases, async (one) => {
        const body = Buffer.concat([Buffer.from('{"body":'), bytesIn(one), Buffer.from('}')]);
        const { status, answer } = await promptly(one.file, () =>
          post(nodeA(), `/v1/rooms/${room}/messages`, body, ada.token),
        );
        if (status === 201) {
          published += 1;
          if (one.expect === 'n') return 'accepted';
          return (await readBack(answer.seq, bytesIn(one))) ? null : 'not stored as sent';
        }
        if (one.expect === 'y' && !isForbidden(bytesIn(one)))
          return `${status} ${JSON.stringify(answer)}`;
        return isRefusal({ status, answer }) ? null : `${status} ${JSON.stringify(answer)}`;
      });
      expect(wrong).toEqual([]);
      expect(published).toBeGreaterThan(90);
    }, 120_000);

    test('as the first frame: closed with auth_missing, or for its bytes', async () => {
      const wrong = await each(cases, async (one) => {
        const bytes = bytesIn(one);
        const peer = await promptly(one.file, async () => {
          const opened = await greeted();
          opened.socket.write(bytesOf(bytes));
          await opened.untilClosed();
          return opened;
        });
        expectLegalFrames(peer.frames);
        peer.socket.destroy();
        const expected =
          bytes.length > FRAME_BYTES_MAX
            ? 'too_big'
            : isUtf8(bytes)
              ? 'auth_missing'
              : 'invalid_utf8';
        return JSON.parse(peer.close!.raw).code === expected &&
          peer.close!.code === CLOSE_CODES[expected].status
          ? null
          : JSON.stringify(peer.close);
      });
      expect(wrong).toEqual([]);
    }, 120_000);

    test('as a frame after authentication: error invalid_frame, and the connection stays until there are too many', async () => {
      let peer = await live(nodeB());
      const wrong = await each(cases, async (one) => {
        const bytes = bytesIn(one);
        await promptly(one.file, async () => {
          if (
            peer.close !== null ||
            peer.frames.filter(({ type }) => type === 'error').length >= 18
          ) {
            peer.socket.destroy();
            peer = await live(nodeB());
          }
          const before = peer.frames.length;
          peer.socket.write(bytesOf(bytes));
          await peer.until(
            'answer',
            ({ frames, close }) => frames.length > before || close !== null,
          );
        });
        if (!isUtf8(bytes) || bytes.length > FRAME_BYTES_MAX) {
          const { code } = await peer.untilClosed();
          return code === (isUtf8(bytes) ? 1009 : 1007) ? null : JSON.stringify(peer.close);
        }
        return peer.frames.at(-1).code === 'invalid_frame'
          ? null
          : JSON.stringify(peer.frames.at(-1));
      });
      expect(wrong).toEqual([]);
    }, 120_000);

    async function readBack(seq: number, sent: Buffer): Promise<boolean> {
      const response = await fetch(
        `${nodeB()}/v1/rooms/${room}/messages?after=${seq - 1}&limit=1`,
        { headers: { authorization: `Bearer ${ada.token}` } },
      );
      const { items } = (await response.json()) as any;
      return JSON.stringify(items[0].body) === JSON.stringify(JSON.parse(sent.toString()));
    }
  },
);

/**
 * Valid JSON that no room takes: NUL and lone surrogates (ground of the refusal: Postgres), and no
 * UTF-8 at all.
 */
const isForbidden = (bytes: Buffer): boolean =>
  /\\u0000|\\u[dD][89a-fA-F]/.test(bytes.toString()) || !isUtf8(bytes);
