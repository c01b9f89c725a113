/**
 * Bytes that a node holds because a client sends them, or does not read them: one row for each
 * queue. The code that bounds them reads its bound here, docs/security.md prints the table (`npm
 * run docs`), test/security/held-bytes.test.ts drives each to it.
 */
import { maxHeaderSize } from 'node:http';
import { LIMITS } from '@wardroom/protocol/limits';
import { CALLS_WAITING_MAX } from '../platform/http/call-turns.js';

const KIB = 1024;
const MIB = 1024 * KIB;

interface Held {
  /** Its owner: the bound holds for each of them. */
  readonly of: 'connection' | 'room' | 'node' | 'call' | 'user' | 'network';
  /** Its bound, as the code has it; a text where a variable sets it. */
  readonly bytes: number | string;
  readonly beyond: string;
}

/**
 * Bytes that a replay of a connection reads at a time, and bytes that may still wait when it reads.
 */
export const REPLAY_PIECE_BYTES = 64 * KIB;
export const REPLAY_HELD_BYTES = 128 * KIB;
/**
 * This many times MAX_QUEUE_BYTES is too much whatever the socket does; one commit of the largest
 * messages fits.
 */
export const QUEUE_LIMITS_MAX = 10;
/** A page of history ends with the item that brings it over this. */
export const PAGE_BYTES = MIB;
/** Bytes of a room, and of all rooms of a node, kept for clients that come back. */
export const ROOM_TAIL_BYTES = 512 * KIB;
export const NODE_TAILS_BYTES = 32 * MIB;
/** Ends of connections that a node holds while Postgres is away, and bytes of one. */
export const CLOSES_WAITING_MAX = 20_000;
const CLOSE_BYTES = 1_024;
/** Those of them that are held with the last events of their connection, and bytes of these. */
export const TIMELINES_WAITING_MAX = 5_000;
const TIMELINE_BYTES = 6 * KIB;
/** Handshakes that may be reconnects, until that is known. */
export const RECONNECTS_WAITING_MAX = 10_000;
const RECONNECT_BYTES = 512;
/** A pong: head and content (RFC 6455, section 5.5). */
export const PONG_BYTES = 2 + 125;

export const HELD_BYTES = {
  'calls that wait for their turn': {
    of: 'network',
    bytes: `heads of ${CALLS_WAITING_MAX} calls, ${maxHeaderSize} each`,
    beyond: 'refused: `overloaded`',
  },
  'first frame': {
    of: 'connection',
    bytes: LIMITS.authFrameBytes,
    beyond: 'closed: `auth_missing`',
  },
  'frames while a credential is verified': {
    of: 'connection',
    bytes: LIMITS.waitingBytes,
    beyond: 'closed: `rate_limited`',
  },
  'frame that is not whole yet': {
    of: 'connection',
    bytes: '`MAX_FRAME_BYTES`',
    beyond: 'closed: `too_big`',
  },
  inbox: { of: 'connection', bytes: LIMITS.inboxBytes, beyond: 'its socket is not read' },
  outbox: {
    of: 'connection',
    bytes: `\`MAX_QUEUE_BYTES\`; ${QUEUE_LIMITS_MAX} times as much for a second`,
    beyond: 'closed: `slow_consumer`',
  },
  'write under way': {
    of: 'connection',
    bytes: `${LIMITS.socketBytes}, or one frame`,
    beyond: 'the rest waits in the outbox',
  },
  pongs: { of: 'connection', bytes: PONG_BYTES, beyond: 'a later one replaces it' },
  replays: {
    of: 'connection',
    bytes: REPLAY_HELD_BYTES + REPLAY_PIECE_BYTES + LIMITS.bodyBytes,
    beyond: 'nothing is read until it is taken',
  },
  'publishes that wait for their commit': {
    of: 'user',
    bytes: `3 times \`PUBLISH_RATE\` bodies of ${LIMITS.bodyBytes}`,
    beyond: 'refused: `rate_limited`',
  },
  'page of history': {
    of: 'call',
    bytes: `${PAGE_BYTES}, and the item that brings it over`,
    beyond: 'the next page',
  },
  'ends of connections that wait to be written': {
    of: 'node',
    bytes: CLOSES_WAITING_MAX * CLOSE_BYTES + TIMELINES_WAITING_MAX * TIMELINE_BYTES,
    beyond: 'the oldest one goes, and is counted',
  },
  'handshakes that may be reconnects': {
    of: 'node',
    bytes: RECONNECTS_WAITING_MAX * RECONNECT_BYTES,
    beyond: 'the oldest one is not counted',
  },
  'tail of a room': { of: 'room', bytes: ROOM_TAIL_BYTES, beyond: 'the oldest event goes' },
  'tails of all rooms': {
    of: 'node',
    bytes: NODE_TAILS_BYTES,
    beyond: 'the tail that is there longest goes',
  },
} as const satisfies Record<string, Held>;
