import { LIMITS } from '@wardroom/protocol/limits';
import type {
  ClientFrame,
  ClientFrames,
  ClientFrameType,
  Right,
  Role,
  ServerFrame,
  ServerFrames,
} from '@wardroom/protocol';
import type { Clock } from '../clock.js';
import type { Emitter } from '../emitter.js';
import { WardroomError } from '../errors.js';
import { newId } from '../new-id.js';
import type { Delivery } from '../connection/requests.js';
import type { RoomEvents, Subscription, SubscriptionPort } from './subscription.js';

/** Any JSON value. */
export type Body = ClientFrames['publish']['body'];
export type Ack = ServerFrames['ack'];
type Always<K extends keyof Ack> = { [P in K]-?: Exclude<Ack[P], undefined> };
export type PublishAck = Ack & Always<'op_id' | 'message_id' | 'seq' | 'at' | 'duplicate'>;
/** A stored message as the history returns it; a newer server may add fields. */
export interface HistoryMessage<B = Body> {
  message_id: string;
  room: string;
  seq: number;
  /** Its number among the messages of the room. */
  n: number;
  sender: string;
  kind: string;
  op_id: string;
  /** Null when deleted. */
  body: B | null;
  at: string;
  edited_at: string | null;
  deleted_at: string | null;
  /** The message that it answers. */
  reply_to: string | null;
  /** Users of the room, or everybody in it. */
  mentions: string[] | 'room' | null;
  /** The first users of each emoji, and how many there are. */
  reactions: { emoji: string; count: number; users: string[] }[];
}
export interface HistoryPage<B = Body> {
  items: HistoryMessage<B>[];
  next_cursor: string | null;
  /**
   * Which past of the room the seqs belong to: to be passed on with `subscribe({ since, epoch })`.
   */
  epoch: string;
  /** The last durable event that the page shows; absent on older servers. */
  seq?: number;
}
export interface PublishOptions {
  kind?: string;
  /** The same `opId` and content again have one effect. Default: a new one. */
  opId?: string;
  /** A message of the room. */
  replyTo?: string;
  /** Users of the room, or everybody in it (moderators and up). */
  mentions?: string[] | 'room';
}
/** `before` and `after` are seqs, themselves excluded. */
export interface HistoryQuery {
  before?: number;
  after?: number;
  limit?: number;
  cursor?: string;
  /** The id of a message: only replies to it. */
  thread?: string;
}

export interface RoomPort extends SubscriptionPort {
  rest<T>(path: string): Promise<T>;
  /** The user that is connected, also while the connection is away. */
  me(): string | undefined;
  readonly clock: Clock;
  /** `auth_ok` of a new connection. */
  onConnected(listener: () => void): () => void;
}

/**
 * One room as an object. It outlives connections: a subscription and its position are taken along.
 */
export class Room<B = Body> {
  /** Calls a listener with each such event. Returns the function that takes it away again. */
  readonly on: Emitter<RoomEvents<B>>['on'];
  /** Takes a listener away. */
  readonly off: Emitter<RoomEvents<B>>['off'];
  /** The next such event, as a promise. */
  readonly once: Emitter<RoomEvents<B>>['once'];

  constructor(
    /** Id or slug, as it was asked for. */
    readonly ref: string,
    events: Emitter<RoomEvents<B>>,
    private readonly subscription: Subscription,
    protected readonly port: RoomPort,
  ) {
    this.on = events.on.bind(events);
    this.off = events.off.bind(events);
    this.once = events.once.bind(events);
  }

  /** Known once the server has answered `subscribed`. */
  get id(): string | undefined {
    return this.subscription.id;
  }
  /** Events of the room arrive, or will over the next connection. */
  get subscribed(): boolean {
    return this.subscription.active;
  }
  /** Last durable event seen, to be kept with `epoch` for a later `subscribe({ since, epoch })`. */
  get seq(): number | undefined {
    return this.subscription.seq;
  }
  /**
   * Which past of the room `seq` belongs to: a server that lost events and gives their numbers
   * again has another.
   */
  get epoch(): string | undefined {
    return this.subscription.epoch;
  }
  /** The user's role in it; null for a reader who is no member. */
  get role(): Role | null {
    return this.subscription.role;
  }
  /** The rights of the user in it. */
  get can(): readonly Right[] {
    return this.subscription.can;
  }

  /**
   * From now on, or with `since` from the event after it, if it is of the same `epoch`. Rejects
   * when refused. Counted: as many `unsubscribe` end it.
   */
  subscribe({ since, epoch }: { since?: number; epoch?: string } = {}): Promise<
    ServerFrames['subscribed']
  > {
    return this.subscription.open(since, epoch);
  }

  /** Takes one `subscribe` back; the last one ends the events. */
  unsubscribe(): Promise<void> {
    return this.subscription.close();
  }

  /** Resolves after the commit. Survives reconnects under one `op_id`, so it has one effect. */
  async publish(
    body: B,
    { kind, opId = newId(), replyTo, mentions }: PublishOptions = {},
  ): Promise<PublishAck> {
    const op = {
      op_id: opId,
      body: fitting(body, opId),
      ...(kind !== undefined && { kind }),
      ...(replyTo !== undefined && { reply_to: replyTo }),
      ...(mentions !== undefined && { mentions }),
    };
    return (await this.#ask('publish', op, 'until_answered', opId)) as PublishAck;
  }

  /** Survives reconnects like a publish. */
  async edit(messageId: string, body: B, { opId = newId() }: { opId?: string } = {}): Promise<Ack> {
    const edit = { message_id: messageId, op_id: opId, body: fitting(body, opId) };
    return (await this.#ask('edit', edit, 'until_answered', opId)) as Ack;
  }

  /**
   * Waits for a connection, but is not repeated: rejected with `connection_lost` its outcome is
   * unknown.
   */
  async delete(messageId: string): Promise<Ack> {
    return (await this.#ask('delete', { message_id: messageId }, 'once')) as Ack;
  }

  /** Adds a reaction, or takes it away. Sent again after a loss. */
  async react(messageId: string, emoji: string, on = true): Promise<Ack> {
    return (await this.#ask(
      'react',
      { message_id: messageId, emoji, on },
      'until_answered',
    )) as Ack;
  }

  /**
   * To whoever is there now. Never waits and never repeats; without a live connection it rejects.
   */
  async signal(kind: string, body: Body): Promise<void> {
    await this.#ask('signal', { kind, body: fitting(body) }, 'now');
  }

  /** Has no answer; without a live connection nothing happens. */
  typing(on: boolean): void {
    this.port.tell({ type: 'typing', room: this.ref, on });
  }

  /** Marks everything up to `seq` as read; default: all that was seen. */
  async read(seq = this.seq ?? 0): Promise<void> {
    await this.#ask('read', { seq }, 'until_answered');
  }

  /** The users that are present now; later changes are the event `presence`. */
  async presence(): Promise<ServerFrames['presence']> {
    return (await this.#ask('presence', {}, 'until_answered')) as ServerFrames['presence'];
  }

  /**
   * A page of stored messages, through REST. After a `gap {from, to}`: `{ after: from - 1, before:
   * to + 1 }`.
   */
  history(query: HistoryQuery = {}): Promise<HistoryPage<B>> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query) as [string, string | number | undefined][])
      if (value !== undefined) search.set(name, String(value));
    // `search.size` is younger than some browsers that people use.
    const asked = search.toString();
    return this.port.rest(
      `/v1/rooms/${encodeURIComponent(this.ref)}/messages${asked === '' ? '' : `?${asked}`}`,
    );
  }

  #ask<T extends ClientFrameType>(
    type: T,
    fields: FieldsOf<T>,
    delivery: Delivery,
    opId?: string,
  ): Promise<ServerFrame> {
    const frame = (id: string) =>
      ({ type, id, room: this.ref, ...fields }) as unknown as ClientFrame;
    return this.port.ask(frame, opId === undefined ? { delivery } : { delivery, opId });
  }
}

type FieldsOf<T extends ClientFrameType> = Omit<ClientFrames[T], 'type' | 'id' | 'room'>;

/**
 * A copy, because the body may be sent again later and must then still be the same. A body that is
 * too big is refused here: as a frame it could cost the connection.
 */
function fitting(body: unknown, opId?: string): Body {
  const text = JSON.stringify(body);
  if (new TextEncoder().encode(text).length > LIMITS.bodyBytes)
    throw new WardroomError('too_big', { message: 'The body is too big.', opId });
  return JSON.parse(text) as Body;
}
