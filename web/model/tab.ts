/**
 * One simulated tab: a client of the SDK on one node, everything it receives, and what its person
 * would read.
 */
import { computed, signal } from '@preact/signals';
import {
  type Clock,
  type HistoryMessage,
  type Room,
  WardroomClient,
  WardroomError,
  type WardroomSession,
} from '@wardroom/client';
import { type Sentence, sentenceOf } from './sentences.js';
import { Network, tappedSocket } from './tap-socket.js';
import type { TryNode } from './nodes.js';

/**
 * `expired`: connected, but the token has run out; `lost`: the network of this tab was taken away.
 */
export type TabState =
  'idle' | 'connecting' | 'live' | 'paused' | 'expired' | 'waiting' | 'ended' | 'lost';

export interface Line {
  id: string;
  seq: number;
  at: Date;
  sender: string;
  text: string;
}

export interface LogLine {
  id: number;
  at: Date;
  way: 'sent' | 'received' | 'close' | 'local';
  text: string;
}

/** Events of this tab, for the sequence of the deed that caused it. */
export interface TabEvent {
  tab: Tab;
  text: string;
  note?: string;
  tone: 'plain' | 'good' | 'warn' | 'bad';
}

const LINES_MAX = 50;
const LOG_MAX = 200;
/** Frames that are worth a line in the sequence. */
const TOLD: Record<string, TabEvent['tone']> = {
  goodbye: 'bad',
  paused: 'warn',
  resumed: 'good',
  auth_expiring_soon: 'warn',
  auth_expired: 'warn',
  unsubscribed: 'warn',
  access: 'warn',
  reset: 'warn',
};

export class Tab {
  readonly network = new Network();
  readonly lines = signal<Line[]>([]);
  readonly log = signal<LogLine[]>([]);
  /** Wall clock of this machine, ms. */
  readonly tokenEndsAt = signal<number | null>(null);
  readonly sentence = signal<Sentence | null>(null);
  /** Whether the person may write in the room now; null: not in the room. */
  readonly room = signal<'writes' | 'reads' | null>(null);
  readonly #state = signal<TabState>('idle');
  readonly #lost = signal(false);
  readonly state = computed<TabState>(() => (this.#lost.value ? 'lost' : this.#state.value));
  #client: WardroomClient | null = null;
  #room: Room | null = null;
  #seen = 0;

  constructor(
    readonly name: string,
    readonly node: TryNode,
    private readonly clock: Clock,
    private readonly nameOf: (user: string) => string,
    private readonly happened: (event: TabEvent) => void,
  ) {}

  /**
   * Connects as whoever this session belongs to, and enters the room. Resolves when that is done or
   * refused.
   */
  async open(session: WardroomSession): Promise<void> {
    this.leave();
    this.sentence.value = null;
    const tap = {
      sent: (text: string) => this.#note('sent', withoutToken(text)),
      received: (text: string) => this.#received(text),
      closed: (status: number, reason: string) => this.#closed(status, reason),
    };
    const client = new WardroomClient({
      url: this.node.url,
      session,
      clock: this.clock,
      webSocket: tappedSocket(this.network, tap),
      backoffBaseMs: 500,
    });
    this.#client = client;
    client.on('state', ({ state }) => this.#follow(client, state));
    client.on('connected', (frame) => this.#token(client, frame.expires_in_ms));
    client.on('refreshed', (frame) => {
      this.#token(client, frame.expires_in_ms);
      this.happened({ tab: this, text: 'renewed on the same connection', tone: 'good' });
    });
    client.on('waiting', (why) => this.#say(client, sentenceOf(why.why.code, why.why.action)));
    client.on('closed', (why) => this.#ended(client, why));
    const room = client.room(this.node.room);
    this.#room = room;
    room.on('message', (frame) => {
      this.#show([frame]);
    });
    room.on(
      'subscribed',
      ({ can }) => (this.room.value = can.includes('publish') ? 'writes' : 'reads'),
    );
    room.on(
      'access',
      ({ can }) => (this.room.value = can.includes('publish') ? 'writes' : 'reads'),
    );
    room.on('unsubscribed', () => (this.room.value = null));
    await client.connect().catch(() => undefined);
    await this.enter();
  }

  /** Subscribes to the room, if the client is connected. */
  async enter(): Promise<void> {
    if (this.#client?.state !== 'live' || this.#room === null) return;
    await this.#room
      .subscribe()
      .then(async () => this.#show((await this.#room!.history({ limit: LINES_MAX })).items))
      .catch((error: unknown) => {
        this.room.value = null;
        this.#note(
          'local',
          `not in the room: ${error instanceof WardroomError ? error.code : 'error'}`,
        );
      });
  }

  /** Answers why it was refused, or null. */
  async publish(text: string): Promise<string | null> {
    try {
      await this.#room?.publish({ text });
      return null;
    } catch (error) {
      return error instanceof WardroomError
        ? `${error.code}: ${error.message}`
        : 'It was not sent.';
    }
  }

  loseNetwork(): void {
    this.network.lose();
    this.#lost.value = true;
    this.#note('local', 'the network of this tab is gone');
  }

  restoreNetwork(): void {
    this.#lost.value = false;
    this.#note('local', 'the network of this tab is back');
    this.network.restore();
  }

  /** Ends the connection from this side. */
  leave(): void {
    const client = this.#client;
    this.#client = null;
    client?.close();
  }

  /** Each message is shown once, by whatever way it came, and in the order of the room. */
  #show(
    messages: readonly Pick<HistoryMessage, 'message_id' | 'seq' | 'at' | 'sender' | 'body'>[],
  ): void {
    const lines = new Map(this.lines.value.map((line) => [line.id, line]));
    for (const { message_id: id, seq, at, sender, body } of messages)
      lines.set(id, { id, seq, at: new Date(at), sender: this.nameOf(sender), text: textOf(body) });
    this.lines.value = [...lines.values()].sort((a, b) => a.seq - b.seq).slice(-LINES_MAX);
  }

  #follow(client: WardroomClient, state: WardroomClient['state']): void {
    if (client !== this.#client) return;
    const before = this.#state.value;
    this.#state.value = {
      idle: 'idle',
      connecting: 'connecting',
      authenticating: 'connecting',
      live: 'live',
      paused: before === 'expired' ? 'expired' : 'paused',
      waiting: 'waiting',
      closed: 'ended',
    }[state] as TabState;
    if (state !== 'live') return;
    this.sentence.value = null;
    if (before === 'waiting' || before === 'connecting')
      this.happened({ tab: this, text: 'connected', tone: 'good' });
  }

  #received(text: string): void {
    this.#note('received', text);
    const frame = JSON.parse(text) as {
      type: string;
      can?: string[];
      code?: string;
      action?: string;
      expires_in_ms?: number;
      grace_ms?: number;
      retry_after_ms?: number;
    };
    if (frame.type === 'auth_expired') this.#state.value = 'expired';
    if (frame.type === 'paused')
      this.sentence.value = {
        title: 'Paused',
        text: 'This server cannot prove that your access is current. It holds everything back until it can.',
      };
    if (frame.type === 'auth_expired')
      this.sentence.value = {
        title: 'Renewing your sign-in',
        text: 'Your access has run out. Nothing is sent or received until it is renewed.',
      };
    const tone = TOLD[frame.type];
    if (tone === undefined) return;
    const more = [
      frame.type === 'resumed' ? undefined : frame.code,
      frame.can === undefined
        ? undefined
        : frame.can.includes('publish')
          ? 'reads and writes'
          : 'reads only',
      frame.action === undefined ? undefined : `action ${frame.action}`,
      frame.grace_ms === undefined ? undefined : `${frame.grace_ms} ms grace`,
      frame.expires_in_ms === undefined ? undefined : `in ${frame.expires_in_ms} ms`,
    ];
    this.happened({
      tab: this,
      text: `${frame.type} ${more.filter((word) => word !== undefined).join(', ')}`.trim(),
      tone,
    });
  }

  #closed(status: number, reason: string): void {
    const said = readReason(reason);
    const text = `close ${status}${said === null ? '' : ` ${said.code}, action ${said.action}`}`;
    this.#note('close', text);
    this.room.value = null;
    this.happened({ tab: this, text, tone: status === 1000 ? 'plain' : 'bad' });
  }

  #ended(client: WardroomClient, why: WardroomError): void {
    if (client !== this.#client) return;
    this.tokenEndsAt.value = null;
    this.room.value = null;
    this.#say(client, sentenceOf(why.code, why.action));
  }

  #say(client: WardroomClient, sentence: Sentence): void {
    if (client === this.#client) this.sentence.value = sentence;
  }

  #token(client: WardroomClient, expiresInMs: number): void {
    if (client === this.#client) this.tokenEndsAt.value = Date.now() + expiresInMs;
  }

  #note(way: LogLine['way'], text: string): void {
    this.log.value = [
      ...this.log.value,
      { id: (this.#seen += 1), at: new Date(), way, text },
    ].slice(-LOG_MAX);
  }
}

/** The frame as it was sent, but for the credential. */
export function withoutToken(text: string): string {
  return text.replace(/"(token|ticket)":"[^"]*"/g, '"$1":"(hidden)"');
}

export function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (typeof body === 'object' && body !== null && 'text' in body && typeof body.text === 'string')
    return body.text;
  return JSON.stringify(body);
}

function readReason(reason: string): { code: string; action: string } | null {
  try {
    const { code, action } = JSON.parse(reason) as { code?: unknown; action?: unknown };
    return typeof code === 'string' && typeof action === 'string' ? { code, action } : null;
  } catch {
    return null;
  }
}
