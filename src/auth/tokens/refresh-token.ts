/**
 * Refresh tokens: `wr_rt_` and the base64url of version | session id | generation | 32 random bytes
 * | mac. The mac is keyed by the session's own secret (`refresh_family`), so only a token we minted
 * for this session can count as reused; what somebody made up is merely invalid. Stored as SHA-256,
 * never as text.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { deriveKey, seal, unseal } from '../../platform/sealed-box.js';

const PREFIX = 'wr_rt_';
const VERSION = 1;
const MAC_BYTES = 16;
const SIGNED_BYTES = 1 + 16 + 4 + 32;
const TEXT = /^wr_rt_[A-Za-z0-9_-]{92}$/;
const PURPOSE = 'wardroom refresh successor';

export interface RefreshToken {
  text: string;
  session: string;
  /** 1 for the token of the login, one more at each rotation. */
  generation: number;
  /** SHA-256 of the text. */
  hash: Buffer<ArrayBuffer>;
}

export const newRefreshFamily = (): Buffer<ArrayBuffer> => Buffer.from(randomBytes(32));

export function mintRefreshToken(
  family: Uint8Array,
  session: string,
  generation: number,
): RefreshToken {
  const signed = Buffer.concat([
    Buffer.of(VERSION),
    Buffer.from(session.replaceAll('-', ''), 'hex'),
    uint32(generation),
    randomBytes(32),
  ]);
  const text = PREFIX + Buffer.concat([signed, mac(family, signed)]).toString('base64url');
  return { text, session, generation, hash: hashOf(text) };
}

/** Null when it is not of our shape. Says nothing about who made it. */
export function parseRefreshToken(text: string): RefreshToken | null {
  if (!TEXT.test(text)) return null;
  const bytes = bytesOf(text);
  if (bytes[0] !== VERSION) return null;
  const hex = bytes.subarray(1, 17).toString('hex');
  const session = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { text, session, generation: bytes.readUInt32BE(17), hash: hashOf(text) };
}

/** Whether we minted it for the session that owns `family`. */
export function isOurRefreshToken(token: RefreshToken, family: Uint8Array): boolean {
  const bytes = bytesOf(token.text);
  return timingSafeEqual(
    mac(family, bytes.subarray(0, SIGNED_BYTES)),
    bytes.subarray(SIGNED_BYTES),
  );
}

/** The successor in a box that only the token it replaces opens: a database dump opens none. */
export function sealSuccessor(
  presented: RefreshToken,
  successor: RefreshToken,
): Buffer<ArrayBuffer> {
  return seal(
    deriveKey(presented.text, PURPOSE, presented.session),
    Buffer.from(successor.text),
    presented.session,
  );
}

export function unsealSuccessor(presented: RefreshToken, box: Uint8Array): RefreshToken | null {
  const text = unseal(
    deriveKey(presented.text, PURPOSE, presented.session),
    box,
    presented.session,
  );
  return text === null ? null : parseRefreshToken(text.toString());
}

export const sameHash = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);

const bytesOf = (text: string): Buffer => Buffer.from(text.slice(PREFIX.length), 'base64url');
const hashOf = (text: string): Buffer<ArrayBuffer> =>
  Buffer.from(createHash('sha256').update(text).digest());
const mac = (family: Uint8Array, signed: Uint8Array): Buffer =>
  createHmac('sha256', family).update(signed).digest().subarray(0, MAC_BYTES);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
