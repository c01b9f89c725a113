import type { ServerFrames } from '@wardroom/protocol';
import type { WardroomError } from '../errors.js';
import type { HistoryMessage } from '../room/room.js';
import type { RoomEvents } from '../room/subscription.js';

export interface TimelineReaction {
  readonly emoji: string;
  readonly count: number;
  /** The first of them; all, when there are at most a hundred. */
  readonly users: readonly string[];
  readonly mine: boolean;
}

/** A message as a list shows it. The object changes only when something of it does. */
export interface TimelineMessage<B> {
  /** Stable, also when a message of one's own becomes a stored one. */
  readonly key: string;
  /** Undefined until the server has stored it. */
  readonly id: string | undefined;
  /** The number of its event in the room. */
  readonly seq: number | undefined;
  /** Its number among the messages of the room. */
  readonly n: number | undefined;
  /** The user that sent it. */
  readonly sender: string | undefined;
  /** The user of this client sent it, on any device. */
  readonly mine: boolean;
  /** `text`, or what the application named. */
  readonly kind: string;
  /** Null when deleted. */
  readonly body: B | null;
  /** When it was stored; of one's own before that, when it was sent. */
  readonly at: string;
  /** When its body was changed last. */
  readonly editedAt: string | null;
  /** When it was deleted. */
  readonly deletedAt: string | null;
  /** The message that it answers. */
  readonly replyTo: string | null;
  /** Users of the room, or everybody in it. */
  readonly mentions: readonly string[] | 'room' | null;
  /** By emoji: how many, the first users, and whether the user of this client is one. */
  readonly reactions: readonly TimelineReaction[];
  /** The name under which it has one effect. */
  readonly opId: string;
  /** One's own messages are `sending` first, and `failed` when they were given up. */
  readonly state: 'stored' | 'sending' | 'failed';
  /** Why it failed. */
  readonly error: WardroomError | undefined;
}

/** A message with the last event that it shows. */
export interface Stored<B> {
  readonly message: TimelineMessage<B> & { readonly id: string; readonly seq: number };
  readonly asOf: number;
}

export type DurableEvent<B> = RoomEvents<B>[
  'message' | 'message_edited' | 'message_deleted' | 'reaction'];

const keyOf = (mine: boolean, opId: string, id: string) => (mine ? `op:${opId}` : id);

export function fromHistory<B>(
  item: HistoryMessage<B>,
  asOf: number,
  me: string | undefined,
): Stored<B> {
  const mine = item.sender === me;
  return {
    asOf,
    message: {
      key: keyOf(mine, item.op_id, item.message_id),
      id: item.message_id,
      seq: item.seq,
      n: item.n,
      sender: item.sender,
      mine,
      kind: item.kind,
      body: item.body,
      at: item.at,
      editedAt: item.edited_at ?? null,
      deletedAt: item.deleted_at ?? null,
      replyTo: item.reply_to ?? null,
      mentions: item.mentions ?? null,
      reactions: (item.reactions ?? []).map((reaction) => ({
        ...reaction,
        mine: me !== undefined && reaction.users.includes(me),
      })),
      opId: item.op_id,
      state: 'stored',
      error: undefined,
    },
  };
}

export function fromEvent<B>(event: RoomEvents<B>['message'], me: string | undefined): Stored<B> {
  const { reply_to = null, mentions = null, ...rest } = event;
  const nothing = { edited_at: null, deleted_at: null, reactions: [] };
  return fromHistory<B>({ ...rest, ...nothing, reply_to, mentions }, event.seq, me);
}

/** The message after an event that changes it; the same object when it shows the event already. */
export function changedBy<B>(
  stored: Stored<B>,
  event: Exclude<DurableEvent<B>, { type: 'message' }>,
  me: string | undefined,
): Stored<B> {
  if (event.seq <= stored.asOf) return stored;
  return { asOf: event.seq, message: { ...stored.message, ...changes(stored, event, me) } };
}

function changes<B>(
  { message }: Stored<B>,
  event: Exclude<DurableEvent<B>, { type: 'message' }>,
  me: string | undefined,
): Partial<Pick<TimelineMessage<B>, 'body' | 'editedAt' | 'deletedAt' | 'reactions'>> {
  switch (event.type) {
    case 'message_edited':
      return { body: event.body, editedAt: event.at };
    case 'message_deleted':
      return { body: null, deletedAt: event.at };
    case 'reaction':
      return { reactions: reacted(message.reactions, event, me) };
  }
}

function reacted(
  reactions: readonly TimelineReaction[],
  { emoji, sender, on }: ServerFrames['reaction'],
  me: string | undefined,
): TimelineReaction[] {
  const found = reactions.find((reaction) => reaction.emoji === emoji);
  const users = found?.users.filter((user) => user !== sender) ?? [];
  const count = (found?.count ?? 0) + (on ? 1 : -1);
  // The list is the beginning of all: it grows only while it is complete.
  const isComplete = (found?.users.length ?? 0) === (found?.count ?? 0);
  const mine = sender === me ? on : (found?.mine ?? false);
  const next = { emoji, count, users: on && isComplete ? [...users, sender] : users, mine };
  if (!found) return [...reactions, next];
  return reactions.map((each) => (each === found ? next : each)).filter((each) => each.count > 0);
}
