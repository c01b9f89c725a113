/**
 * A server of one room, in memory and one step at a time: nothing travels until the test lets it.
 * Its messages are folded from its events, so it is also the oracle of a timeline.
 */
import type { Fetch, HistoryMessage, HistoryPage, SocketLike } from '@wardroom/client';

type Json = Record<string, any>;
export const ROOM = '00000000-0000-7000-8000-000000000001';
export const ME = '00000000-0000-7000-8000-000000000002';
export const OTHER = '00000000-0000-7000-8000-000000000003';
/** More events than this are not replayed. */
const REPLAY_MAX = 4;

interface Call {
  url: URL;
  answer?: object;
  resolve(response: Response): void;
  reject(error: Error): void;
}

class ModelSocket implements SocketLike {
  readonly #listeners = new Map<string, ((event: any) => void)[]>();
  readonly toServer: Json[] = [];
  readonly toClient: Json[] = [];
  isOpen = true;
  isSubscribed = false;

  send(text: string): void {
    if (this.isOpen) this.toServer.push(JSON.parse(text) as Json);
  }
  close(): void {
    this.isOpen = false;
  }
  addEventListener(type: string, listener: (event: any) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }
  emit(type: string, event: object = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}

export class ModelServer {
  events: Json[] = [];
  #epoch = 0;
  #ids = 0;
  #socket: ModelSocket | undefined;
  readonly calls: Call[] = [];
  /** Frames of the client that were counted. */
  subscribes = 0;
  watches = 0;
  readonly typing: boolean[] = [];
  /** Ids of the user's own rooms. */
  rooms: string[] = [];

  /** For the client: its `webSocket` and its `fetch`. */
  readonly Socket = ((server: ModelServer) =>
    class extends ModelSocket {
      constructor() {
        super();
        server.#socket = this;
        const times = { expires_in_ms: 9e9, refresh_after_ms: 9e9, refresh_before_ms: 9e9 };
        queueMicrotask(() => {
          this.emit('open');
          this.#hello(times);
        });
      }
      #hello(times: Json): void {
        const ids = { session_id: ROOM, user_id: ME, tenant_id: ROOM };
        this.toServer.length = 0;
        this.toClient.push({ type: 'auth_ok', ...ids, ...times, server_time_ms: 1 });
      }
    })(this);

  readonly fetch: Fetch = (url) =>
    new Promise((resolve, reject) => this.calls.push({ url: new URL(url), resolve, reject }));

  get epoch(): string {
    return `e${this.#epoch}`;
  }
  get seq(): number {
    return this.events.length;
  }
  /** Frames and answers that are on their way. */
  get isQuiet(): boolean {
    const { toServer = [], toClient = [] } = this.#socket ?? {};
    return toServer.length + toClient.length + this.calls.length === 0;
  }

  /** All messages, as the history shows them now. */
  get messages(): HistoryMessage<unknown>[] {
    const messages = new Map<string, HistoryMessage<unknown>>();
    for (const event of this.events) {
      const { message_id: id, sender, at } = event as { message_id: string } & Json;
      if (event['type'] === 'message') {
        const { type: _, ...rest } = event;
        const nothing = { edited_at: null, deleted_at: null, mentions: null };
        const { reply_to = null } = event as { reply_to?: string };
        const stored = { ...(rest as HistoryMessage<unknown>), ...nothing, reply_to };
        messages.set(id, { ...stored, reactions: [] });
        continue;
      }
      const message = messages.get(id)!;
      if (event['type'] === 'message_edited')
        Object.assign(message, { body: event['body'], edited_at: at });
      if (event['type'] === 'message_deleted')
        Object.assign(message, { body: null, deleted_at: at });
      if (event['type'] === 'reaction') react(message, event['emoji'], sender, event['on']);
    }
    return [...messages.values()];
  }

  publish(sender: string, op_id: string, body: unknown, reply_to?: string): Json {
    const done = this.events.find(
      (event) => event['op_id'] === op_id && event['sender'] === sender,
    );
    if (done) return { ...done, duplicate: true };
    const n = this.messages.length + 1;
    const message_id = `m${++this.#ids}`;
    const reply = reply_to === undefined ? {} : { reply_to };
    const fields = { message_id, sender, op_id, body, kind: 'text', n, ...reply };
    return this.#commit({ type: 'message', ...fields });
  }

  edit(sender: string, message_id: string, body: unknown): void {
    this.#commit({ type: 'message_edited', message_id, sender, body });
  }
  delete(sender: string, message_id: string): void {
    this.#commit({ type: 'message_deleted', message_id, sender });
  }
  react(sender: string, message_id: string, emoji: string): void {
    const { reactions } = this.messages.find((message) => message.message_id === message_id)!;
    const on = !reactions.some((each) => each.emoji === emoji && each.users.includes(sender));
    this.#commit({ type: 'reaction', message_id, sender, emoji, on });
  }

  /** The database comes back without the events after `kept`. */
  lose(kept: number): void {
    const to = this.seq;
    this.events = this.events.slice(0, kept);
    this.#epoch++;
    const lost = kept < to ? { lost: { from: kept + 1, to } } : {};
    this.tell({ type: 'reset', room: ROOM, epoch: this.epoch, seq: kept, ...lost });
  }

  /** The connection is lost, and with it all that was on its way. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.emit('close', { code: 1006, reason: '' });
  }

  handleOne(): void {
    const frame = this.#socket?.toServer.shift();
    if (frame) this.#handle(this.#socket!, frame);
  }
  deliverOne(): void {
    const frame = this.#socket?.toClient.shift();
    if (frame) this.#socket!.emit('message', { data: JSON.stringify(frame) });
  }
  /** A page is read, and its answer is on its way. */
  readOne(which = 0): void {
    const unread = this.calls.filter(({ answer }) => !answer);
    const call = unread[which % Math.max(1, unread.length)];
    if (call) call.answer = this.#read(call.url);
  }
  answerOne(which = 0): void {
    const read = this.calls.filter(({ answer }) => answer);
    const call = read[which % Math.max(1, read.length)];
    if (!call) return;
    this.calls.splice(this.calls.indexOf(call), 1);
    call.resolve(Response.json(call.answer));
  }
  failOne(): void {
    this.calls.shift()?.reject(new TypeError('fetch failed'));
  }

  #handle(socket: ModelSocket, frame: Json): void {
    const { type, id, op_id, body, message_id, reply_to } = frame;
    const answer = (fields: Json) => socket.toClient.push({ id, room: ROOM, ...fields });
    switch (type) {
      case 'subscribe':
        return this.#subscribe(socket, frame, answer);
      case 'publish': {
        const {
          seq,
          message_id: stored,
          at,
          duplicate = false,
        } = this.publish(ME, op_id, body, reply_to as string | undefined);
        return void answer({ type: 'ack', op_id, message_id: stored, seq, at, duplicate });
      }
      case 'unsubscribe':
        socket.isSubscribed = false;
        return void answer({ type: 'unsubscribed', code: 'client', action: 'none' });
      case 'watch':
        this.watches++;
        socket.isSubscribed = true;
        return void answer({ type: 'watching', rooms: this.rooms.length });
      case 'presence':
        return void answer({ type: 'presence', count: 1, users: [ME] });
      case 'typing':
        return void this.typing.push(frame['on'] as boolean);
      case 'ping':
        return void answer({ type: 'pong', server_time_ms: 1 });
      default:
        return void answer({ type: 'ack', message_id, seq: this.seq });
    }
  }

  #subscribe(socket: ModelSocket, { since, epoch }: Json, answer: (fields: Json) => void): void {
    socket.isSubscribed = true;
    this.subscribes++;
    const isOther = since !== undefined && epoch !== undefined && epoch !== this.epoch;
    const missed = since === undefined ? 0 : this.seq - since;
    const recovered = !isOther && missed >= 0 && missed <= REPLAY_MAX;
    answer({
      type: 'subscribed',
      seq: this.seq,
      epoch: this.epoch,
      role: 'member',
      can: ['read', 'publish'],
      recovered,
      replayed: recovered ? missed : 0,
      ...(isOther && { reset: true }),
    });
    if (recovered) socket.toClient.push(...this.events.slice(this.seq - missed));
  }

  #read({ pathname, searchParams: query }: URL): object {
    if (pathname !== '/v1/me/rooms') return this.#page(query);
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit'));
    const items = this.rooms.slice(from, to).map((id) => ({ room: { id }, last_n: 0 }));
    return { items, next_cursor: to < this.rooms.length ? String(to) : null };
  }

  #page(query: URLSearchParams): HistoryPage<unknown> {
    const number = (name: string, other: number) => Number(query.get(name) ?? other);
    const limit = number('limit', 50);
    const isForward = query.has('after');
    const thread = query.get('thread');
    const found = this.messages.filter(
      ({ seq, reply_to }) =>
        seq < number('before', Infinity) &&
        seq > number('after', 0) &&
        (thread === null || reply_to === thread),
    );
    const items = isForward ? found.slice(0, limit) : found.reverse().slice(0, limit);
    const next_cursor = items.length < limit ? null : String(items.at(-1)!.seq);
    return { items, next_cursor, epoch: this.epoch, seq: this.seq };
  }

  #commit(event: Json): Json {
    const at = new Date(1.8e12 + (this.#ids + this.seq) * 1000).toISOString();
    const stored = { ...event, room: ROOM, seq: this.seq + 1, at };
    this.events.push(stored);
    this.tell(stored);
    return stored;
  }

  /** To the client, if it subscribed. */
  tell(frame: Json): void {
    if (this.#socket?.isSubscribed) this.#socket.toClient.push(frame);
  }
}

function react(message: HistoryMessage<unknown>, emoji: string, user: string, on: boolean): void {
  const found = message.reactions.find((each) => each.emoji === emoji);
  const others = (found?.users ?? []).filter((each) => each !== user);
  const users = on ? [...others, user] : others;
  message.reactions = message.reactions.filter((each) => each !== found);
  if (users.length > 0) message.reactions.push({ emoji, count: users.length, users });
}
