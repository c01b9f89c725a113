import { CLOSE_CODES } from '@wardroom/protocol/codes';
import type { ServerFrames } from '@wardroom/protocol';
import { errorFromWire, WardroomError } from './errors.js';

export interface CloseLike {
  readonly code: number;
  readonly reason: string;
}

/**
 * Why a connection ended: the goodbye, else the JSON reason of the close, else a status that only
 * Wardroom uses. Everything else (1006 above all, but also a proxy's own 1001 or 1011) says nothing
 * about credentials or rights: `connection_lost`.
 */
export function readClose(
  goodbye: ServerFrames['goodbye'] | undefined,
  close?: CloseLike,
): WardroomError {
  if (goodbye) return errorFromWire(goodbye, close?.code);
  if (!close) return new WardroomError('connection_lost');
  const reason = parseReason(close.reason);
  if (reason) return errorFromWire(reason, close.code);
  const known =
    close.code >= 4000 && Object.values(CLOSE_CODES).find((spec) => spec.status === close.code);
  if (known)
    return new WardroomError('bad_answer', {
      action: known.action,
      message: known.message,
      status: close.code,
    });
  return new WardroomError('connection_lost', { status: close.code });
}

function parseReason(reason: string): { code: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(reason);
    if (typeof value === 'object' && value !== null && 'code' in value) return value;
  } catch {
    // Not ours: a proxy, or the transport itself.
  }
  return undefined;
}
