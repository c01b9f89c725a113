/**
 * Header and claims of a text that looks like a JWT, as somebody wrote them: nothing is believed.
 */
import { isUtf8 } from 'node:buffer';
import { redactText } from '../../platform/log/redact-text.js';

export interface ReadableJwt {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const MEMBERS_MAX = 50;
const CHARS_MAX = 1_000;

export function readJwt(text: string): ReadableJwt | null {
  if (!JWT.test(text)) return null;
  const [first, second] = text.split('.') as [string, string, string];
  const [header, claims] = [objectIn(first), objectIn(second)];
  return header === null || claims === null ? null : { header, claims };
}

function objectIn(part: string): Record<string, unknown> | null {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? shown(value)
      : null;
  } catch {
    return null;
  }
}

/** Bounded, and without the tokens that a token may hold. */
const shown = (value: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value)
      .slice(0, MEMBERS_MAX)
      .map(([name, member]) => [redactText(name.slice(0, CHARS_MAX)), member])
      .map(([name, member]) => [name, shownMember(member)]),
  );

function shownMember(member: unknown): unknown {
  if (typeof member === 'string') return redactText(member).slice(0, CHARS_MAX);
  if (typeof member !== 'object' || member === null) return member;
  return redactText(JSON.stringify(member)).slice(0, CHARS_MAX);
}
