/** The people of direct rooms who have the chat open: they are present in that room. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { MyRoom, PeopleSnapshot, WardroomClient } from '@wardroom/client';
import { follow } from './room/follow.js';

/** Direct rooms with the newest activity: each is a subscription of the connection. */
const FOLLOWED_MAX = 20;

interface Followed {
  readonly peer: string;
  readonly people: ReadonlySignal<PeopleSnapshot>;
  readonly stop: () => void;
}

export class Peers {
  /** Ids of users. */
  readonly present: ReadonlySignal<ReadonlySet<string>>;
  readonly #rooms = signal<ReadonlyMap<string, Followed>>(new Map());

  constructor(private readonly client: Pick<WardroomClient, 'room'>) {
    this.present = computed(
      () =>
        new Set(
          [...this.#rooms.value.values()]
            .filter(({ peer, people }) => people.value.present?.includes(peer) === true)
            .map(({ peer }) => peer),
        ),
    );
  }

  /** From now on of these rooms, and of no others. */
  follow(mine: readonly MyRoom[]): void {
    const before = this.#rooms.peek();
    const wanted = mine.filter(({ peer }) => peer !== null).slice(0, FOLLOWED_MAX);
    const rooms = new Map(
      wanted.map(({ room, peer }) => [
        room.id,
        before.get(room.id) ?? this.#join(room.id, peer!.id),
      ]),
    );
    for (const [id, { stop }] of before) if (!rooms.has(id)) stop();
    if (rooms.size !== before.size || [...rooms.keys()].some((id) => !before.has(id)))
      this.#rooms.value = rooms;
  }

  #join(room: string, peer: string): Followed {
    const [people, stop] = follow(this.client.room(room).people());
    return { peer, people, stop };
  }
}
