/** The JavaScript SDK under a script: real sockets, real HTTP, and a clock that stands. */
import { WebSocket } from 'ws';
import { memoryStorage, WardroomClient, WardroomError, WardroomSession } from '@wardroom/client';
import type { ClientEvents, Locks, RoomEvents, SessionStorage } from '@wardroom/client';
import { ManualClock } from '../manual-clock.js';
import { Queue } from '../queue.js';
import { type Peer, type RestRequest, ScriptedServer } from '../scripted-server.js';
import type { Case, Json } from './script.js';

const CLIENT_EVENTS = [
  'state',
  'connected',
  'refreshed',
  'waiting',
  'signed_out',
  'closed',
  'error',
] as const satisfies (keyof ClientEvents)[];
const ROOM_EVENTS = [
  'message',
  'message_edited',
  'message_deleted',
  'reaction',
  'pinned',
  'gap',
  'reset',
  'unsubscribed',
] as const satisfies (keyof RoomEvents)[];
/** The mark of `nothing`: an error that belongs to no request. */
const MARK = 'a mark of the script';

export class Driver {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly results = new Map<string, Promise<Json>>();
  readonly #events = new Map<string, Queue<Json>>();
  readonly #listened = new Set<string>();
  #client: WardroomClient | undefined;
  peer: Peer | undefined;
  request: RestRequest | undefined;
  #isLocked = false;
  #isBroken = false;

  private constructor(
    readonly server: ScriptedServer,
    private readonly options: NonNullable<Case['client']>,
  ) {}

  static async start(options: NonNullable<Case['client']> = {}): Promise<Driver> {
    return new Driver(await ScriptedServer.start(), options);
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.server.stop();
  }

  holdLock(): void {
    this.#isLocked = true;
  }
  breakStorage(): void {
    this.#isBroken = true;
  }

  /** Made by the first step that needs it. */
  get client(): WardroomClient {
    if (this.#client) return this.#client;
    const { tokens = 'callback', max_attempts } = this.options;
    const client = new WardroomClient({
      url: this.server.url,
      webSocket: WebSocket,
      clock: this.clock,
      random: () => 0.5,
      ...(max_attempts !== undefined && { maxAttempts: max_attempts }),
      ...(tokens === 'session'
        ? { session: this.#session() }
        : { getToken: (reason: string) => this.#token(reason, tokens === 'tickets') }),
    });
    for (const name of CLIENT_EVENTS)
      client.on(name, (event: unknown) => this.#note(name, event as Json));
    return (this.#client = client);
  }

  events(name: string, room = ''): Queue<Json> {
    const key = `${room}/${name}`;
    let queue = this.#events.get(key);
    if (!queue) this.#events.set(key, (queue = new Queue()));
    return queue;
  }

  /** Starts a call of the client; `as` names its result. */
  call(what: string, room: string | undefined, args: Json, as: string | undefined): void {
    const result = this.#call(what, room, args).then(
      (value) => ({ ok: (value ?? {}) as Json }),
      (error: unknown) => ({ error: plain(error) }),
    );
    this.results.set(as ?? what, result);
  }

  /** Events of rooms that no step has taken. */
  get heard(): string[] {
    return [...this.#events].flatMap(([key, { size }]) =>
      size > 0 && !key.startsWith('/') ? [key] : [],
    );
  }

  /** Everything that needs no frame of the server has happened. */
  async rested(): Promise<void> {
    for (let count = 0; count < 3; count++) await new Promise(setImmediate);
  }

  /** Everything the server sent was handled. */
  async settled(): Promise<void> {
    await this.rested();
    const { peer } = this;
    if (!peer || !['live', 'paused'].includes(this.client.state)) return;
    const marked = new Promise<void>((resolve) => {
      const off = this.client.on('error', ({ message }) => {
        if (message !== MARK) return;
        off();
        resolve();
      });
    });
    peer.send({ type: 'error', code: 'internal', action: 'retry', message: MARK });
    await marked;
  }

  async #call(what: string, ref: string | undefined, args: Json): Promise<unknown> {
    const { client } = this;
    if (ref === undefined) {
      const { path, ...call } = args;
      if (what === 'rest') return client.rest(path as string, call);
      if (what === 'logout') return client.session!.logout();
      return (client as unknown as Record<string, (fields: Json) => unknown>)[what]!(args);
    }
    const room = client.room<any>(ref);
    if (!this.#listened.has(ref)) {
      this.#listened.add(ref);
      for (const name of ROOM_EVENTS)
        room.on(name, (event: unknown) => this.events(name, ref).push(event as Json));
    }
    const { message_id, body, kind, emoji, on, op_id: opId, since, epoch } = args;
    switch (what) {
      case 'subscribe':
        return room.subscribe(since === undefined ? {} : { since, epoch });
      case 'unsubscribe':
        return room.unsubscribe();
      case 'publish':
        return room.publish(body, { opId });
      case 'edit':
        return room.edit(message_id, body, { opId });
      case 'delete':
        return room.delete(message_id);
      case 'react':
        return room.react(message_id, emoji, on);
      case 'signal':
        return room.signal(kind, body);
      default:
        throw new Error(`no such call: ${what}`);
    }
  }

  #note(name: string, event: Json): void {
    if (name === 'error' && event['message'] === MARK) return;
    const { why, delayMs: delay_ms, attempt } = event;
    const isWait = name === 'waiting';
    this.events(name).push(
      isWait ? { ...plain(why), delay_ms, attempt } : event instanceof Error ? plain(event) : event,
    );
  }

  #token(reason: string, isTicket: boolean): string | { ticket: string } {
    const count = this.asked.push(reason);
    return isTicket ? { ticket: `ticket-${count}` } : `token-${count}`;
  }

  #session(): WardroomSession {
    const kept = memoryStorage();
    const storage: SessionStorage = {
      ...kept,
      name: `script-${Math.random()}`,
      set: (value) => {
        if (this.#isBroken) throw new Error('the storage is full');
        return kept.set(value);
      },
    };
    const never: Locks = { request: () => new Promise(() => {}) };
    return new WardroomSession({
      url: this.server.url,
      clock: this.clock,
      storage,
      ...(this.#isLocked && { locks: never }),
    });
  }
}

/** An error as scripts name its fields. */
function plain(error: unknown): Json {
  if (!(error instanceof WardroomError)) return { thrown: String(error) };
  const { code, action, kind, message, errors, status } = error;
  const { retryAfterMs: retry_after_ms, decisionId: decision_id, opId: op_id } = error;
  return { code, action, kind, message, errors, status, retry_after_ms, decision_id, op_id };
}
