/**
 * E-mail addresses in the one form in which they are stored and compared, so that no two users
 * differ only in how somebody types: NFKC and lower case (final sigma like any), the domain as DNS
 * has it (`xn--`). Addresses may be international (RFC 6531, RFC 5890); quoted ones are not taken.
 * Forms are merged for people, never for proof: see `isPlainlyWritten`.
 */
import { domainToASCII } from 'node:url';
import * as z from 'zod';

/** RFC 5321, section 4.5.3.1: octets. */
const BYTES_MAX = 254;
const LOCAL = /^[\p{L}\p{M}\p{N}_'+-]+(?:\.[\p{L}\p{M}\p{N}_'+-]+)*$/u;
/** Labels, and the full stop of China and Japan. Nothing a URL would read as an escape. */
const DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002-]+$/u;
const ASCII_DOMAIN = /^(?:[a-z0-9][a-z0-9-]{0,62}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/** Accepts an address as somebody typed it and gives its form. */
export const emailSchema = z
  .string()
  .max(BYTES_MAX)
  .meta({ format: 'idn-email' })
  .transform((text, context): string => {
    const email = emailForm(text);
    if (email !== null) return email;
    context.addIssue('must be an e-mail address');
    return z.NEVER;
  });

/** Null: no address. */
export function emailForm(text: string): string | null {
  const folded = fold(text);
  const [local, domain] = parts(folded);
  if (!LOCAL.test(local) || INVISIBLE.test(folded)) return null;
  const ascii = asciiDomain(domain);
  const email = `${local}@${ascii}`;
  return ascii !== null && Buffer.byteLength(email) <= BYTES_MAX ? email : null;
}

/** The form of the beginning of an address. */
export const emailBeginning = (text: string): string =>
  sameSigma(text.normalize('NFKC').toLowerCase().normalize('NFKC'));

/**
 * An address somebody has proven to an issuer is that mailbox and no other. Letters that only
 * compatibility makes equal (the ligature in `ﬁn@`, full-width letters) name another mailbox there:
 * that proof is none for the user of our form.
 */
export function isPlainlyWritten(text: string): boolean {
  const plain = parts(text.normalize('NFC').toLowerCase())[0];
  return sameSigma(plain) === parts(fold(text))[0];
}

const fold = (text: string): string => {
  const [local, domain] = parts(text.normalize('NFKC').toLowerCase().normalize('NFKC'));
  return `${sameSigma(local)}@${domain}`;
};

/** Lower case depends on where the letter stands. */
const sameSigma = (text: string): string => text.replaceAll('ς', 'σ');

function parts(text: string): [local: string, domain: string] {
  const at = text.lastIndexOf('@');
  return [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
}

function asciiDomain(domain: string): string | null {
  if (!DOMAIN.test(domain)) return null;
  const ascii = Buffer.byteLength(domain) === domain.length ? domain : domainToASCII(domain);
  return ASCII_DOMAIN.test(ascii) ? ascii : null;
}
