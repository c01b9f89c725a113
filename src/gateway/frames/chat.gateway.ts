/**
 * SUBSCRIBE, PUBLISH and the rest: one Nest handler for all frames (one binding per connection),
 * one line per type. The guard has authenticated and authorized; its grant is in the request.
 */
import { UseFilters, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { PARAM_ARGS_METADATA } from '@nestjs/websockets/constants.js';
import { UNSUBSCRIBE_CODES } from '@wardroom/protocol/codes';
import type { ClientFrames, ServerFrame } from '@wardroom/protocol';
import { WS_PATH } from '@wardroom/protocol/limits';
import { monotonicMs, wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import type { Allow } from '../../policy/decide-room.js';
import { Policy } from '../../policy/policy.js';
import { ReadMarkers } from '../../rooms/events/read-markers.js';
import { requireKind } from '../../rooms/events/require-kind.js';
import { RoomEvents } from '../../rooms/events/room-events.js';
import { Channels } from '../delivery/channels.js';
import type { Connection } from '../connection/connection.js';
import { FrameFilter } from './frame.filter.js';
import type { FrameRequest } from '../connection/frame-request.js';
import { FrameGuard } from './frame.guard.js';
import { DeferredReply } from './frame-queue.js';
import { Presence } from '../delivery/presence.js';
import { Subscribe } from '../delivery/subscribe.js';
import { Subscriptions } from '../delivery/subscriptions.js';
import { TypingEnds } from '../delivery/typing-ends.js';
import { Watch } from '../watch/watch.js';
import { WatchNews } from '../watch/watch-news.js';

const DECIDE_AGAIN_MAX = 5;

type Answer = ServerFrame | DeferredReply | undefined;
type TransientAction = 'signal' | 'typing' | 'mark_read';
type TransientTextOf = (granted: Allow, sender: string) => string;

/**
 * Ids need no escaping, and a body alone is written in half the time that it takes inside an
 * object.
 */
const signalText = (room: string, sender: string, kind: string, body: unknown): string =>
  `{"type":"signal","room":"${room}","sender":"${sender}","kind":${JSON.stringify(kind)},"body":${JSON.stringify(body)}}`;
const text = (frame: ServerFrame): string => JSON.stringify(frame);

/**
 * Nest hands its arguments over as they are: sent through no pipe at all, each would still cost a
 * frame several promises.
 */
const WithoutPipes = (): MethodDecorator => (target, method) =>
  Reflect.defineMetadata(PARAM_ARGS_METADATA, {}, target.constructor, method);

@WebSocketGateway({ path: WS_PATH })
@UseGuards(FrameGuard)
@UseFilters(FrameFilter)
export class ChatGateway {
  constructor(
    private readonly subscribes: Subscribe,
    private readonly events: RoomEvents,
    private readonly channels: Channels,
    private readonly presences: Presence,
    private readonly markers: ReadMarkers,
    private readonly typingEnds: TypingEnds,
    private readonly policy: Policy,
    private readonly subscriptions: Subscriptions,
    private readonly watching: Watch,
    private readonly watchNews: WatchNews,
  ) {}

  @SubscribeMessage('frame')
  @WithoutPipes()
  handle(connection: Connection, request: FrameRequest): Answer | Promise<Answer> {
    const { frame } = request;
    switch (frame.type) {
      case 'ping':
        return { type: 'pong', server_time_ms: wallMs() };
      case 'subscribe':
        return this.subscribes.subscribe(connection, frame, request.granted!);
      case 'unsubscribe':
        return this.unsubscribe(connection, frame);
      case 'publish':
        return this.later(
          this.events.publish(connection.principal, frame.room, frame, request.granted),
        );
      case 'edit':
        return this.later(
          this.events.edit(connection.principal, frame.room, frame, request.granted),
        );
      case 'delete':
        return this.later(
          this.events.delete(connection.principal, frame.room, frame, request.granted),
        );
      case 'react':
        return this.later(
          this.events.react(connection.principal, frame.room, frame, request.granted),
        );
      case 'signal':
        return this.signal(connection, frame);
      case 'typing':
        return this.typing(connection, frame);
      case 'read':
        return this.read(connection, frame, request);
      case 'watch':
        return this.watching.watch(connection);
      case 'presence':
        return this.presences.ask(request.granted!.room.id);
      case 'auth':
      case 'auth_refresh':
        throw new DomainError('internal', {
          detail: 'authentication frames do not pass the gateway',
        });
    }
  }

  private later(ack: Promise<Omit<Extract<ServerFrame, { type: 'ack' }>, 'type'>>): DeferredReply {
    return new DeferredReply(ack.then((fields) => ({ type: 'ack', ...fields })));
  }

  private async unsubscribe(
    connection: Connection,
    frame: ClientFrames['unsubscribe'],
  ): Promise<ServerFrame> {
    const room = isId(frame.room) ? frame.room : await this.idBehind(connection, frame.room);
    this.subscribes.unsubscribe(connection, room);
    return { type: 'unsubscribed', room, code: 'client', action: UNSUBSCRIBE_CODES.client.action };
  }

  /** Of a room one is subscribed to, or may read: the slug of any other names nothing. */
  private async idBehind(connection: Connection, slug: string): Promise<string> {
    const { room } = await this.policy.facts(connection.principal, slug);
    if (room !== null && this.subscriptions.of(connection).has(room.id)) return room.id;
    return (await this.policy.authorize(connection.principal, slug, 'read')).room.id;
  }

  private signal(
    connection: Connection,
    { id, room, kind, body }: ClientFrames['signal'],
  ): Answer | Promise<Answer> {
    const sent = this.transient(connection, room, 'signal', (granted, sender) => {
      requireKind(kind, granted);
      return signalText(granted.room.id, sender, kind, body);
    });
    const answer = (roomId: string): Answer =>
      id === undefined ? undefined : { type: 'ack', room: roomId };
    return typeof sent === 'string' ? answer(sent) : sent.then(answer);
  }

  private async typing(
    connection: Connection,
    { room, on }: ClientFrames['typing'],
  ): Promise<undefined> {
    const roomId = await this.transient(connection, room, 'typing', (granted, sender) =>
      text({ type: 'typing', room: granted.room.id, sender, on }),
    );
    // It may have ended meanwhile.
    if (connection.authenticated) this.typingEnds.said(connection, roomId, on);
  }

  private async read(
    connection: Connection,
    { room, seq }: ClientFrames['read'],
    request: FrameRequest,
  ): Promise<ServerFrame> {
    const marked = await this.markers.mark(request.granted!.room.id, connection.principal, seq);
    await this.transient(connection, room, 'mark_read', (granted, sender) =>
      text({ type: 'read', room: granted.room.id, sender, seq: marked }),
    );
    this.watchNews.read(connection, request.granted!.room.id, marked);
    return { type: 'ack', room: request.granted!.room.id, seq: marked };
  }

  /**
   * Sent in the very step that says yes, under the epoch of the facts that said it; mostly in this
   * one. Answers with the room's id.
   */
  private transient(
    connection: Connection,
    room: string,
    action: TransientAction,
    textOf: TransientTextOf,
  ): string | Promise<string> {
    return (
      this.sendNow(connection, room, action, textOf) ??
      this.askAndSend(connection, room, action, textOf)
    );
  }

  private async askAndSend(
    connection: Connection,
    room: string,
    action: TransientAction,
    textOf: TransientTextOf,
  ): Promise<string> {
    for (let attempt = 0; attempt < DECIDE_AGAIN_MAX; attempt += 1) {
      await this.policy.authorize(connection.principal, room, action);
      const sent = this.sendNow(connection, room, action, textOf);
      if (sent !== null) return sent;
    }
    throw new DomainError('overloaded', {
      detail: 'the room changes faster than its facts can be read',
    });
  }

  /**
   * Returns null when the cached facts do not allow it. Checks lease and token again: the caller
   * may have waited for Postgres.
   */
  private sendNow(
    connection: Connection,
    room: string,
    action: TransientAction,
    textOf: TransientTextOf,
  ): string | null {
    const { principal } = connection;
    const { lease } = this.channels;
    const nowMs = monotonicMs();
    lease.require(nowMs);
    if (connection.state !== 'live' || connection.pastExpiryAt(nowMs))
      throw new DomainError('token_expired');
    const granted = this.policy.authorizeCached(principal, room, action);
    if (granted === null) return null;
    const { id, epoch } = granted.room;
    this.channels.sendTransient({
      room: id,
      session: principal.sessionId,
      epoch,
      frame: textOf(granted, principal.userId),
    });
    return id;
  }
}
