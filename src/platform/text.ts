/** Strings that mean something, on their way in: names, slugs, ids; and what no JSON value may hold. */
import { z } from 'zod';
import { LIMITS } from '../protocol/limits.js';
import { isId } from './ids.js';
import { plainText } from './zod.js';

/** What people read: of a room or tenant. */
export const nameSchema = plainText(1, 200).refine((name) => name.trim() !== '', 'must not be blank');

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const slugSchema = z
  .string()
  .regex(SLUG, 'lower-case letters, digits and hyphens, at most 63')
  .refine((slug) => !isId(slug), 'must not look like an id');

/** A tenant or room named in a path; what can be neither an id nor a slug names nothing. */
export const isRef = (text: string): boolean => isId(text) || SLUG.test(text);

export const idSchema = z.uuid().toLowerCase();

const UNSTORABLE = /[\0\p{Cs}]/u;

/**
 * Why a parsed JSON value cannot be taken, or null: NUL or lone surrogates anywhere, too deep. Not recursive, because the
 * depth has to be known before anything recurses into the value (a schema, `JSON.stringify`).
 */
export function jsonTrouble(value: unknown): string | null {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value === 'string' && UNSTORABLE.test(next.value)) return 'must be well-formed text without NUL';
    if (typeof next.value === 'number' && !Number.isFinite(next.value)) return 'must be a number that a double can hold';
    if (typeof next.value !== 'object' || next.value === null) continue;
    const depth = next.depth + 1;
    if (depth > LIMITS.jsonDepth) return `must not be nested deeper than ${LIMITS.jsonDepth}`;
    for (const [key, inner] of Object.entries(next.value)) {
      if (UNSTORABLE.test(key)) return 'must be well-formed text without NUL';
      open.push({ value: inner, depth });
    }
  }
  return null;
}
