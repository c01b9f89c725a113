/**
 * Strings that mean something, on their way in: names, slugs, ids; and what no JSON value may hold.
 */
import * as z from 'zod';
import { LIMITS } from '@wardroom/protocol/limits';
import { isId } from './ids.js';
import { plainText } from './zod.js';

const VISIBLE = /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/u;
/** Has some character that people see. */
export const leavesMark = (text: string): boolean => VISIBLE.test(text);

const NAME_CHARS_MAX = 200;
/** A name that people read: of a room or tenant. */
export const nameSchema = plainText(1, NAME_CHARS_MAX).refine(
  (name) => name.length > NAME_CHARS_MAX || leavesMark(name),
  'must not be blank',
);

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const slugSchema = z
  .string()
  .regex(SLUG, 'lower-case letters, digits and hyphens, at most 63')
  .refine((slug) => !isId(slug), 'must not look like an id');

/** A tenant or room named in a path; a text that is neither an id nor a slug names nothing. */
export const isRef = (text: string): boolean => isId(text) || SLUG.test(text);

export const idSchema = z.uuid().toLowerCase();

const UNSTORABLE = /[\0\p{Cs}]/u;
const ILL_FORMED = 'must be well-formed text without NUL';

/**
 * Why a parsed JSON value cannot be taken, or null: NUL or lone surrogates anywhere, no double, too
 * deep. It goes no deeper than is allowed, so that nothing after it recurses further. `escaped`:
 * the text it comes from has a `\u` in it; without one, JSON in valid UTF-8 can spell neither.
 */
export function jsonTrouble(value: unknown, escaped = true, depth = 0): string | null {
  if (typeof value === 'string') return escaped && UNSTORABLE.test(value) ? ILL_FORMED : null;
  if (typeof value === 'number')
    return Number.isFinite(value) ? null : 'must be a number that a double can hold';
  if (typeof value !== 'object' || value === null) return null;
  if (depth === LIMITS.jsonDepth) return `must not be nested deeper than ${LIMITS.jsonDepth}`;
  if (escaped && Object.keys(value).some((key) => UNSTORABLE.test(key))) return ILL_FORMED;
  for (const inner of Object.values(value)) {
    const trouble = jsonTrouble(inner, escaped, depth + 1);
    if (trouble !== null) return trouble;
  }
  return null;
}

/** A copy: a piece of a string keeps the whole of it in memory for as long as it is kept itself. */
export const detached = (text: string): string => Buffer.from(text).toString();
