/**
 * Codes in links that people hand to each other: 256 random bits under a prefix that says what the
 * code is for, and by which logs know it. Stored as SHA-256, never as text. In a URL a code is in
 * the fragment, which no browser sends to a server or names as a referrer.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Tx } from '../../platform/stores/database.js';

/** By what it opens: a room, a registration, an account. */
const KINDS = {
  room: { prefix: 'wr_inv_', fragment: 'invite' },
  registration: { prefix: 'wr_reg_', fragment: 'register' },
  password: { prefix: 'wr_pwr_', fragment: 'reset' },
} as const;
export type LinkKind = keyof typeof KINDS;

const RANDOM = /^[A-Za-z0-9_-]{43}$/;

export interface LinkCode {
  readonly text: string;
  readonly hash: Buffer<ArrayBuffer>;
}

export function mintLinkCode(kind: LinkKind): LinkCode {
  const text = KINDS[kind].prefix + randomBytes(32).toString('base64url');
  return { text, hash: hashOf(text) };
}

/** Null: no code of this kind. */
export function linkCodeHash(kind: LinkKind, text: string): Buffer<ArrayBuffer> | null {
  const { prefix } = KINDS[kind];
  return text.startsWith(prefix) && RANDOM.test(text.slice(prefix.length)) ? hashOf(text) : null;
}

/** The end of a link of so many seconds, by the clock that will compare it. */
export async function linkEnd(tx: Tx, seconds: number): Promise<Date> {
  const [row] = await tx.$queryRaw<{ until: Date }[]>`
    SELECT clock_timestamp() + make_interval(secs => ${seconds}) AS until`;
  return row!.until;
}

/** A reader may not be signed in yet: the slug of the tenant fills the form. */
export async function linkUrl(
  tx: Tx,
  publicUrl: string,
  kind: LinkKind,
  { code, tenantId }: { code: LinkCode; tenantId: string },
): Promise<string> {
  const { slug } = await tx.tenant.findUniqueOrThrow({
    where: { id: tenantId },
    select: { slug: true },
  });
  return `${publicUrl}/chat?tenant=${slug}#${KINDS[kind].fragment}=${code.text}`;
}

const hashOf = (text: string): Buffer<ArrayBuffer> =>
  Buffer.from(createHash('sha256').update(text).digest());
