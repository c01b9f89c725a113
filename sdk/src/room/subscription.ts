import type {
  ClientFrame,
  Right,
  Role,
  RoomEventFrame,
  ServerFrame,
  ServerFrames,
} from '@wardroom/protocol';
import type { Action } from '@wardroom/protocol/codes';
import type { Emitter } from '../emitter.js';
import { toWardroomError, type WardroomError, type WardroomErrorCode } from '../errors.js';
import { judgeSeq } from './judge-seq.js';
import type { RequestOptions } from '../connection/requests.js';

/**
 * Events `from` to `to`, both included, were not delivered and will not be: page the history for
 * what they changed.
 */
export interface Gap {
  from: number;
  to: number;
}

/**
 * The room has another past than the one that was followed: its server lost events, and their
 * numbers are given again. Forget everything from `lost.from` on; the events stored instead follow,
 * as events or as a `gap`. Null: nothing that was seen is lost.
 */
export interface Reset {
  epoch: string;
  lost: Gap | null;
}

/**
 * The subscription ended. `code` is one of the protocol, or why a new subscription was refused
 * after a reconnect.
 */
export interface Unsubscribed {
  code: WardroomErrorCode;
  action: Action;
}

type Json = ServerFrames['message']['body'];
type WithBody<T extends 'message' | 'message_edited', B> = Omit<ServerFrames[T], 'body'> & {
  body: B;
};

/** Durable events share one `seq`; the others are for whoever is there. */
export interface RoomEvents<B = Json> {
  /** A message was published. Durable. */
  message: WithBody<'message', B>;
  /** A message has another body. Durable. */
  message_edited: WithBody<'message_edited', B>;
  /** A message is gone. Durable. */
  message_deleted: ServerFrames['message_deleted'];
  /** A user added a reaction, or took it away (`on`). Durable. */
  reaction: ServerFrames['reaction'];
  /** A message was pinned, or unpinned (`on`). Durable. */
  pinned: ServerFrames['pinned'];
  /** A transient message of a user. */
  signal: ServerFrames['signal'];
  /** A user began or stopped typing. */
  typing: ServerFrames['typing'];
  /** A user has read up to a `seq`. */
  read: ServerFrames['read'];
  /** Users came or left. */
  presence: ServerFrames['presence'];
  /** A member came, left, was renamed or has another role. For members. */
  member: ServerFrames['member'];
  /** The user's rights in the room changed; `room.role` and `room.can` are the new ones. */
  access: ServerFrames['access'];
  /** The server follows the room for this connection, also after a reconnect. */
  subscribed: ServerFrames['subscribed'];
  /** The subscription ended for good. */
  unsubscribed: Unsubscribed;
  /** Events were missed that will not come: page the history. */
  gap: Gap;
  /** The room has another past: forget everything from `lost.from` on. */
  reset: Reset;
}

export interface SubscriptionPort {
  ask(frame: (id: string) => ClientFrame, options: RequestOptions): Promise<ServerFrame>;
  live(): boolean;
  /** Without an answer; dropped when there is no live connection. */
  tell(frame: ClientFrame): void;
  /** The slug turned out to be this id. */
  named(id: string): void;
}

/** Follows the events of one room over any number of connections: no duplicate, no silent gap. */
export class Subscription {
  /** Last durable event seen. */
  seq: number | undefined;
  /** Which past of the room `seq` belongs to. */
  epoch: string | undefined;
  role: Role | null = null;
  can: readonly Right[] = [];
  id: string | undefined;
  /** The application wants it, and the server has said yes once. */
  #attached = false;
  #wanted = false;
  /** Callers that subscribed and have not unsubscribed. */
  #users = 0;
  #opening: Promise<ServerFrames['subscribed']> | undefined;
  #last: ServerFrames['subscribed'] | undefined;
  #resuming = false;
  /** A repair from here did not bring the next event. */
  #unrepairable: number | undefined;

  constructor(
    private readonly ref: string,
    private readonly events: Emitter<RoomEvents>,
    private readonly port: SubscriptionPort,
  ) {}

  get active(): boolean {
    return this.#attached && this.#wanted;
  }

  /** Of callers that do not care where to start, only the first one asks the server. */
  open(since?: number, epoch?: string): Promise<ServerFrames['subscribed']> {
    const isFirst = this.#users++ === 0;
    if (since === undefined && !isFirst && this.#opening) return this.#opening;
    if (since === undefined && this.active && this.#last) {
      const { role, seq = this.#last.seq, epoch: now = this.#last.epoch } = this;
      return Promise.resolve({
        ...this.#last,
        role,
        can: [...this.can],
        seq,
        epoch: now,
        replayed: 0,
      });
    }
    this.#wanted = true;
    const opening = this.#ask(since, epoch).finally(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    opening.catch(() => {
      this.#users = this.#attached ? this.#users - 1 : 0;
    });
    return (this.#opening = opening);
  }

  async #ask(since?: number, epoch?: string): Promise<ServerFrames['subscribed']> {
    const frame = (id: string) =>
      ({ type: 'subscribe', id, room: this.ref, ...position(since, epoch) }) as const;
    const onAnswer = (answer: ServerFrame) =>
      this.#opened(answer as ServerFrames['subscribed'], since);
    return (await this.port.ask(frame, {
      delivery: 'until_answered',
      onAnswer,
    })) as ServerFrames['subscribed'];
  }

  /** The last of those who opened it ends it. */
  async close(): Promise<void> {
    if (this.#users > 1) return void this.#users--;
    this.#users = 0;
    this.#wanted = false;
    const answered = this.port.ask((id) => ({ type: 'unsubscribe', id, room: this.ref }), {
      delivery: 'once',
      own: true,
    });
    const settled = answered.then(
      () => {},
      (error: unknown) => {
        // Without its connection a subscription is over as well.
        if (this.port.live()) throw error;
      },
    );
    if (this.port.live()) await settled;
    else settled.catch(() => {});
    if (!this.#wanted && this.#attached) this.#detach({ code: 'client', action: 'none' });
  }

  /**
   * Over a new connection, or to repair a gap: from the last event seen, as it stands when the
   * frame is sent.
   */
  resume({ repair = false } = {}): void {
    if (!this.active || this.#resuming) return;
    this.#resuming = true;
    let since = this.seq;
    const frame = (id: string) =>
      ({
        type: 'subscribe',
        id,
        room: this.id ?? this.ref,
        ...position((since = this.seq), this.epoch),
      }) as const;
    const onAnswer = (answer: ServerFrame) => {
      this.#resuming = false;
      this.#unrepairable = repair ? since : undefined;
      this.#resumed(answer as ServerFrames['subscribed']);
    };
    this.port
      .ask(frame, { delivery: 'until_answered', onAnswer, own: true })
      .catch((thrown: unknown) => {
        this.#resuming = false;
        const { code, action } = toWardroomError(thrown, 'closed');
        // Closed by the application: `connect` takes the room up again.
        if (this.active && code !== 'closed' && code !== 'gave_up') this.#detach({ code, action });
      });
  }

  /** Everything of this room that answers no request. */
  receive(frame: ServerFrame): void {
    if (!this.active) return;
    if (frame.type === 'unsubscribed')
      return this.#detach({ code: frame.code, action: frame.action });
    switch (frame.type) {
      case 'message':
      case 'message_edited':
      case 'message_deleted':
      case 'reaction':
      case 'pinned':
        return this.#follow(frame);
      case 'reset':
        return this.#startAnew(frame);
      case 'access':
        this.role = frame.role;
        this.can = frame.can;
        return this.events.emit('access', frame);
      case 'signal':
      case 'typing':
      case 'read':
      case 'presence':
      case 'member':
        return this.events.emit<typeof frame.type>(frame.type, frame);
      default:
        // Of a newer protocol.
        return;
    }
  }

  /** Somebody else may sign in next: nothing is taken along. */
  forget(why: WardroomError): void {
    if (this.active) this.#detach({ code: why.code, action: why.action });
    this.#wanted = false;
    this.#users = 0;
    this.seq = undefined;
    this.epoch = undefined;
  }

  #follow(frame: RoomEventFrame): void {
    const verdict = judgeSeq(this.seq, frame.seq);
    if (verdict === 'duplicate') return;
    if (verdict === 'gap') {
      // Events dropped here come again after the missing ones.
      if (this.#unrepairable !== this.seq) return this.resume({ repair: true });
      this.events.emit('gap', { from: this.seq! + 1, to: frame.seq - 1 });
    }
    this.seq = frame.seq;
    this.events.emit<typeof frame.type>(frame.type, frame);
  }

  /** The next events begin after `seq` of the frame; events before it in the new past are a gap. */
  #startAnew({ epoch, seq, ...told }: ServerFrames['reset']): void {
    const lost = told.lost ?? null;
    const seen = this.seq ?? seq;
    const kept = lost === null ? seen : Math.min(seen, lost.from - 1);
    this.epoch = epoch;
    this.seq = seq;
    this.#unrepairable = undefined;
    this.events.emit('reset', { epoch, lost });
    if (kept < seq) this.events.emit('gap', { from: kept + 1, to: seq });
  }

  /** The application asked; it also decides where to start. */
  #opened(answer: ServerFrames['subscribed'], since: number | undefined): void {
    this.seq = since ?? answer.seq;
    this.#unrepairable = undefined;
    this.#resumed(answer);
  }

  #resumed(answer: ServerFrames['subscribed']): void {
    this.id = answer.room;
    this.port.named(answer.room);
    if (!this.#wanted) return this.port.tell({ type: 'unsubscribe', room: answer.room });
    this.#attached = true;
    this.#last = answer;
    this.role = answer.role;
    this.can = answer.can;
    this.epoch = answer.epoch;
    this.events.emit('subscribed', answer);
    if (answer.recovered) return;
    if (answer.reset && this.seq !== undefined) {
      // How far both pasts are the same is not known.
      const lost = { from: 1, to: this.seq };
      this.seq = 0;
      this.events.emit('reset', { epoch: answer.epoch, lost });
    }
    const from = (this.seq ?? answer.seq) + 1;
    const to = answer.seq - answer.replayed;
    this.seq = to;
    if (from <= to) this.events.emit('gap', { from, to });
  }

  #detach(why: Unsubscribed): void {
    this.#attached = false;
    this.#wanted = false;
    this.#users = 0;
    this.role = null;
    this.can = [];
    this.events.emit('unsubscribed', why);
  }
}

function position(since: number | undefined, epoch: string | undefined) {
  return since === undefined ? {} : { since, ...(epoch === undefined ? {} : { epoch }) };
}
