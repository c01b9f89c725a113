import type { ServerFrames } from '@wardroom/protocol';
import type { Action } from '@wardroom/protocol/codes';
import { errorFromWire, WardroomError } from '../errors.js';

export interface CloseLike {
  readonly code: number;
  readonly reason: string;
}

/** The statuses that only Wardroom uses. */
export const ACTION_OF_STATUS: Readonly<Record<number, Action>> = { 4001: 'refresh', 4003: 'stop' };

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
  const action = ACTION_OF_STATUS[close.code];
  if (action) return new WardroomError('bad_answer', { action, status: close.code });
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
