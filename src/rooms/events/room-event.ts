/**
 * A durable room event as it travels: the frame's text is built once, where the event was committed
 * or read, and goes unchanged to every subscriber on every node.
 */
import type { RoomEventFrame } from '@wardroom/protocol';

/** In the list of mentions: everybody in the room. No user has this id. */
export const EVERYBODY = '00000000-0000-0000-0000-000000000000';

export interface RoomEvent {
  readonly room: string;
  readonly seq: number;
  /**
   * rooms.authz_epoch in the transaction that committed it: delivered only by nodes that have
   * applied that epoch.
   */
  readonly epoch: number;
  /**
   * Tells it from every other event that ever had this seq: Postgres may come back without its
   * newest commits and give the number again.
   */
  readonly mark: string;
  /** The mark of the event before it, empty when there is none. */
  readonly prev: string;
  /** JSON text of the server frame. */
  readonly frame: string;
}

/** Columns of room_events that make a frame; `body` is JSON text. */
export interface RoomEventRow {
  room_id: string;
  seq: number | string;
  type: RoomEventFrame['type'];
  message_id: string;
  sender: string;
  op_id: string | null;
  kind: string | null;
  body: string | null;
  emoji: string | null;
  reaction_on: boolean | null;
  epoch: number | string;
  at: Date;
  /** The number of the last message up to it; a message's own. */
  n: number | string;
  reply_to: string | null;
  mentions: string[] | null;
}

/** The function room_event_mark of the migrations makes the same text. */
const markOf = ({ message_id, at }: RoomEventRow): string =>
  message_id.slice(-12) + String(at.getTime());

export function toRoomEvent(row: RoomEventRow, prev: string): RoomEvent {
  const seq = Number(row.seq);
  const head = `{"type":"${row.type}","room":"${row.room_id}","seq":${seq},"message_id":"${row.message_id}","sender":"${row.sender}","at":"${row.at.toISOString()}"`;
  return {
    room: row.room_id,
    seq,
    epoch: Number(row.epoch),
    mark: markOf(row),
    prev,
    frame: `${head}${tail(row)}}`,
  };
}

/** Rows in the order of seq; `prev` is known of all but the first. */
export function toRoomEvents(rows: readonly RoomEventRow[]): RoomEvent[] {
  let before: RoomEvent | undefined;
  return rows.map((row) => {
    const follows = before !== undefined && before.seq === Number(row.seq) - 1;
    return (before = toRoomEvent(row, follows ? before!.mark : ''));
  });
}

/** An edit or a deletion: rows before it are not what they were. */
export const rewritesRows = ({ frame }: RoomEvent): boolean =>
  frame.startsWith('{"type":"message_');

/** A message, or the end of one: somebody has more or fewer unread messages or mentions. */
export const countsChanged = ({ frame }: RoomEvent): boolean =>
  frame.startsWith('{"type":"message"') || frame.startsWith('{"type":"message_deleted"');

function tail(row: RoomEventRow): string {
  switch (row.type) {
    case 'message':
      return `,"n":${Number(row.n)},"kind":${JSON.stringify(row.kind)},"op_id":${JSON.stringify(row.op_id)},"body":${row.body ?? 'null'}${references(row)}`;
    case 'message_edited':
      return `,"body":${row.body ?? 'null'}`;
    case 'message_deleted':
      return '';
    case 'pinned':
      return `,"on":${row.reaction_on === true}`;
    case 'reaction':
      return `,"emoji":${JSON.stringify(row.emoji)},"on":${row.reaction_on === true}`;
  }
}

function references({ reply_to, mentions }: RoomEventRow): string {
  if (reply_to === null && mentions === null) return '';
  const reply = reply_to === null ? '' : `,"reply_to":"${reply_to}"`;
  return mentions === null ? reply : `${reply},"mentions":${JSON.stringify(mentionsOf(mentions))}`;
}

/** As clients send and read them. */
export const mentionsOf = (stored: string[]): string[] | 'room' =>
  stored[0] === EVERYBODY ? 'room' : stored;
