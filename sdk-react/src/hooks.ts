import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type {
  Body,
  ConnectionState,
  People,
  PeopleSnapshot,
  Room,
  RoomEvents,
  RoomList,
  RoomListSnapshot,
  Timeline,
  TimelineOptions,
  TimelineSnapshot,
  WardroomError,
} from '@wardroom/client';
import { useClient } from './client-context.js';

/** A value of the client that changes, as `room.timeline()` and the like give it. */
interface Observable<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => T;
}

/** The present snapshot; renders again when it changes. */
export function useSnapshot<T>({ subscribe, getSnapshot }: Observable<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot);
}

export interface Connection {
  readonly state: ConnectionState;
  /** Why a person must sign in again, until the client is connected. */
  readonly signedOut: WardroomError | undefined;
}

/** The state of the connection. With `connect`, it is opened while the component is mounted. */
export function useConnection({ connect = false }: { connect?: boolean } = {}): Connection {
  const client = useClient();
  const [signedOut, setSignedOut] = useState<WardroomError>();
  const subscribe = useCallback((listener: () => void) => client.on('state', listener), [client]);
  const state = useSyncExternalStore(
    subscribe,
    () => client.state,
    () => client.state,
  );
  useEffect(() => {
    const offs = [
      client.on('signed_out', setSignedOut),
      client.on('connected', () => setSignedOut(undefined)),
    ];
    return () => offs.forEach((off) => off());
  }, [client]);
  useEffect(() => {
    if (!connect) return;
    // Its failure is the event `closed`, and the state.
    client.connect().catch(() => undefined);
  }, [client, connect]);
  return { state, signedOut };
}

/** The room of this id or slug. */
export function useRoom<B = Body>(room: string): Room<B> {
  const client = useClient();
  return useMemo(() => client.room<B>(room), [client, room]);
}

/** The messages of a room, and the timeline to send and scroll with. */
export function useTimeline<B = Body>(
  room: string,
  { pageSize, maxMessages, around }: TimelineOptions = {},
): TimelineSnapshot<B> & { readonly timeline: Timeline<B> } {
  const of = useRoom<B>(room);
  const timeline = useMemo(
    () =>
      of.timeline({
        ...(pageSize !== undefined && { pageSize }),
        ...(maxMessages !== undefined && { maxMessages }),
        ...(around !== undefined && { around }),
      }),
    [of, pageSize, maxMessages, around],
  );
  const snapshot = useSnapshot<TimelineSnapshot<B>>(timeline);
  return useMemo(() => ({ ...snapshot, timeline }), [snapshot, timeline]);
}

/** The users that are present or typing, and `people` to say that one is typing oneself. */
export function usePeople(room: string): PeopleSnapshot & { readonly people: People } {
  const of = useRoom(room);
  const people = useMemo(() => of.people(), [of]);
  const snapshot = useSnapshot<PeopleSnapshot>(people);
  return useMemo(() => ({ ...snapshot, people }), [snapshot, people]);
}

/** The user's own rooms, as a sidebar shows them. */
export function useRooms(): RoomListSnapshot & { readonly list: RoomList } {
  const client = useClient();
  const list = useMemo(() => client.rooms(), [client]);
  const snapshot = useSnapshot<RoomListSnapshot>(list);
  return useMemo(() => ({ ...snapshot, list }), [snapshot, list]);
}

/** Calls the present `listener` with each such event of a room, without rendering. */
export function useRoomEvent<K extends keyof RoomEvents>(
  room: string,
  name: K,
  listener: (event: RoomEvents[K]) => void,
): void {
  const of = useRoom(room);
  const [latest] = useState({ listener });
  useEffect(() => {
    latest.listener = listener;
  });
  useEffect(() => of.on(name, (event) => latest.listener(event)), [of, name, latest]);
}
