/** The list of rooms beside the open one: favourites, rooms and people, by activity. */
import type { MyRoom, PersonView } from '@wardroom/client';
import { textOf } from './layout.js';
import { plainText } from './room/markdown.js';
import { fold } from './room/mentions.js';

export interface SidebarRow {
  readonly id: string;
  readonly name: string;
  readonly kind: 'room' | 'private' | 'direct';
  readonly unread: number;
  readonly mentions: number;
  /** No badge for mere messages. */
  readonly isQuiet: boolean;
  readonly favourite: boolean;
  readonly hasDraft: boolean;
  /** The other user of a direct room has the chat open. */
  readonly isHere: boolean;
  /** The beginning of the last message; null: deleted, or none. */
  readonly preview: {
    readonly sender: string;
    readonly text: string | null;
    readonly at: string;
  } | null;
}
export interface Sidebar {
  readonly favourites: readonly SidebarRow[];
  readonly rooms: readonly SidebarRow[];
  readonly direct: readonly SidebarRow[];
}

export const nameOfRoom = ({ room, peer }: Pick<MyRoom, 'room' | 'peer'>): string =>
  peer?.name ?? room.name;

export function sidebarOf(
  mine: readonly MyRoom[],
  hasDraft: (room: string) => boolean,
  present: ReadonlySet<string>,
): Sidebar {
  const rows = mine.map((row) => ({
    ...toRow(row),
    hasDraft: hasDraft(row.room.id),
    isHere: row.peer !== null && present.has(row.peer.id),
  }));
  const rest = rows.filter(({ favourite }) => !favourite);
  return {
    favourites: rows.filter(({ favourite }) => favourite),
    rooms: rest.filter(({ kind }) => kind !== 'direct'),
    direct: rest.filter(({ kind }) => kind === 'direct'),
  };
}

function toRow(mine: MyRoom): Omit<SidebarRow, 'hasDraft' | 'isHere'> {
  const { room, last_message: last, unread, mentions, favourite, notify } = mine;
  const kinds = { public: 'room', private: 'private', direct: 'direct' } as const;
  return {
    id: room.id,
    name: nameOfRoom(mine),
    kind: kinds[room.visibility],
    unread,
    mentions,
    isQuiet: notify === 'none' || (notify === 'mentions' && mentions === 0),
    favourite,
    preview:
      last === null
        ? null
        : {
            sender: last.sender,
            at: last.at,
            text: last.deleted_at === null ? plainText(last.text ?? textOf(last.body)) : null,
          },
  };
}

/** Of all rooms that may tell something: shown in the title of the page. */
export const unreadTotal = (mine: readonly MyRoom[]): number =>
  mine.reduce((sum, { unread, mentions, notify }) => {
    const counts = { all: unread, mentions, none: 0 };
    return sum + counts[notify];
  }, 0);

export type Found =
  | { readonly kind: 'room' | 'direct'; readonly id: string; readonly name: string }
  | {
      readonly kind: 'person';
      readonly id: string;
      readonly name: string;
      readonly status: string | null;
    };

/** Rooms whose name begins so come first, then rooms that hold the words, then people. */
export function findIn(
  query: string,
  mine: readonly MyRoom[],
  people: readonly PersonView[],
  me: string,
): Found[] {
  const wanted = fold(query.trim());
  const rooms = mine
    .map((row) => ({
      kind: row.peer === null ? ('room' as const) : ('direct' as const),
      id: row.room.id,
      name: nameOfRoom(row),
    }))
    .filter(({ name }) => fold(name).includes(wanted))
    .sort(
      (a, b) => Number(fold(b.name).startsWith(wanted)) - Number(fold(a.name).startsWith(wanted)),
    );
  const known = new Set(mine.map(({ peer }) => peer?.id));
  const others = people
    .filter(({ id, state }) => id !== me && state === 'active' && !known.has(id))
    .map(({ id, name, status }) => ({ kind: 'person', id, name, status }) as const);
  return [...rooms.slice(0, 8), ...others.slice(0, 8)];
}
