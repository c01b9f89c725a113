/**
 * The end of a connection by the server: `goodbye` as the last frame, and the same as the reason of
 * the close.
 */
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import type { CloseCode } from '@wardroom/protocol/codes';
import type { ServerFrame } from '@wardroom/protocol';
import { encodeTextFrame } from './frame-encoder.js';

/** The name of a connection's end: in `goodbye`, in the close reason, in log and audit. */
export const closeIdOf = (connectionId: string): string => connectionId.slice(-12);

export function farewell(
  code: CloseCode,
  close_id: string,
  retryAfterMs: number | undefined,
): { goodbye: Buffer; status: number; reason: string } {
  const { status, action, message } = CLOSE_CODES[code];
  const spread = retryAfterMs === undefined ? {} : { retry_after_ms: Math.round(retryAfterMs) };
  const goodbye: ServerFrame = { type: 'goodbye', code, action, ...spread, close_id, message };
  return {
    goodbye: encodeTextFrame(JSON.stringify(goodbye)),
    status,
    reason: JSON.stringify({ code, action, close_id, ...spread }),
  };
}
