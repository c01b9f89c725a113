/** The replies to one message, in the side pane. */
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Room, Timeline, TimelineSnapshot } from '@wardroom/client';
import { Composer, type ComposerPort } from './composer.js';
import { follow } from './follow.js';
import type { Body, Message } from '../layout.js';
import type { RoomContext } from './room-context.js';
import { textOf } from '../layout.js';

export interface Thread {
  readonly id: string;
  /** The message that is answered; null until it is loaded. */
  readonly root: ReadonlySignal<{ sender: string; text: string | null; at: string } | null>;
  readonly timeline: Timeline<Body>;
  readonly snapshot: ReadonlySignal<TimelineSnapshot<Body>>;
  readonly composer: Composer;
  close(): void;
}

export function openThread(
  room: Room<Body>,
  root: Message | string,
  { client, drafts }: RoomContext,
  port: ComposerPort,
): Thread {
  const id = typeof root === 'string' ? root : root.id!;
  const shown = signal(
    typeof root === 'string'
      ? null
      : { sender: root.sender!, text: root.body === null ? null : textOf(root.body), at: root.at },
  );
  if (shown.value === null)
    void client.api.messages.get(room.id ?? room.ref, id).then(
      ({ sender, body, at }) =>
        (shown.value = { sender, text: body === null ? null : textOf(body), at }),
      () => undefined,
    );
  const timeline = room.timeline({ thread: id });
  const [snapshot, close] = follow(timeline);
  const send: ComposerPort['send'] = (text, { mentions }) =>
    void timeline.send({ text }, mentions === undefined ? {} : { mentions });
  const lastOwn = () =>
    snapshot.value.messages.findLast(
      ({ mine, state, deletedAt }) => mine && state === 'stored' && deletedAt === null,
    );
  const composer = new Composer(`${room.ref}/${id}`, { ...port, send, lastOwn }, drafts);
  return { id, root: shown, timeline, snapshot, composer, close };
}
