import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
/** Taken by the page: each call of the generator costs as much as a dozen ids. */
const page = new Uint8Array(256 * RANDOM_BYTES);
let used = page.length;

function random(): Uint8Array {
  if (used === page.length) {
    randomFillSync(page);
    used = 0;
  }
  return page.subarray(used, (used += RANDOM_BYTES));
}

let lastMs = 0;
let lastSeq = 0;

/**
 * UUIDv7: sorted by time and, within a process, by order of birth, so an index grows at its end.
 */
export function newId(): string {
  const bytes = random();
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Half of the range is left for those that follow within the millisecond.
    lastSeq = ((bytes[6]! & 0x7f) << 24) | (bytes[7]! << 16) | (bytes[8]! << 8) | bytes[9]!;
  } else lastSeq += 1;
  return v7({ random: bytes, msecs: lastMs, seq: lastSeq });
}

/**
 * For what happened at `atMs`, wall clock, and is written later: `seq` (32 bits) orders ids of one
 * millisecond.
 */
export const idAt = (atMs: number, seq: number): string =>
  v7({ random: random(), msecs: atMs, seq });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Tells an id from a slug; slugs may not look like ids. */
export const isId = (text: string): boolean => UUID.test(text);
