/**
 * From text to a frame: depth and forbidden characters before anything could stumble over them,
 * then the schema. Refusals name the field, never its value.
 */
import type * as z from 'zod';
import { CLIENT_FRAMES, LIMITS } from '@wardroom/protocol';
import type { ClientFrame, ClientFrameType } from '@wardroom/protocol';
import { DomainError } from '../../platform/errors.js';
import { jsonTrouble } from '../../platform/text.js';

/** A number that is written again takes at most this much more room: `1e20` has 21 digits. */
const GROWTH_MAX = 8;
const SURELY_SMALL = LIMITS.bodyBytes / GROWTH_MAX;

/** A frame that was refused, with the `id` it may have carried so that its answer can. */
export class FrameError extends DomainError {
  constructor(
    readonly frameId: string | undefined,
    message: string,
    path = '',
    code: 'invalid_frame' | 'too_big' = 'invalid_frame',
  ) {
    super(code, { detail: path === '' ? message : `${path}: ${message}` });
  }
}

export function parseFrame(text: string): ClientFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError(undefined, 'not JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new FrameError(undefined, 'not an object');
  const id = idOf(value);
  // Depth first of all: the schema and JSON.stringify would recurse into it.
  const trouble = jsonTrouble(value, text.includes('\\u'));
  if (trouble !== null) throw new FrameError(id, trouble);
  const type = (value as { type?: unknown }).type;
  if (typeof type !== 'string' || !Object.hasOwn(CLIENT_FRAMES, type))
    throw new FrameError(id, 'unknown type', 'type');
  const result = (CLIENT_FRAMES[type as ClientFrameType] as z.ZodType<ClientFrame>).safeParse(
    value,
  );
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new FrameError(
      id,
      issue.code === 'unrecognized_keys' ? 'unknown field' : issue.message,
      issue.path.join('.'),
    );
  }
  const frame = result.data;
  if (
    'body' in frame &&
    text.length > SURELY_SMALL &&
    Buffer.byteLength(JSON.stringify(frame.body)) > LIMITS.bodyBytes
  )
    throw new FrameError(id, 'body is too big', 'body', 'too_big');
  return frame;
}

function idOf(value: object): string | undefined {
  const id = (value as { id?: unknown }).id;
  return typeof id === 'string' &&
    id.length > 0 &&
    id.length <= LIMITS.frameIdChars &&
    jsonTrouble(id) === null
    ? id
    : undefined;
}
