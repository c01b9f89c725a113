/** A chat without a page, over a scripted server that answers REST by itself. */
import { WebSocket } from 'ws';
import { memoryStorage } from '@wardroom/client';
import { Chat } from '../../../../web/model/chat/chat.js';
import { Preferences } from '../../../../web/model/chat/preferences.js';
import { en } from '../../../../web/model/chat/texts/en.js';
import { CookieSession } from '../../../../web/model/cookie-session.js';
import { ManualClock } from '../../../sdk/manual-clock.js';
import {
  ALICE,
  type Json,
  type Peer,
  type RestRequest,
  ROOM,
  ScriptedServer,
  tokens,
} from '../../../sdk/scripted-server.js';

export const BEN = '00000000-0000-7000-8000-00000000000b';
export const OTHER = '00000000-0000-7000-8000-00000000000c';
const CAN = ['read', 'presence', 'publish', 'signal', 'typing', 'react', 'edit_own', 'delete_own'];
const AT = '2026-11-22T00:00:00.000Z';

const room = (id: string, name: string, fields: Json = {}) => ({
  id,
  tenant_id: 't',
  slug: null,
  name,
  visibility: 'private',
  posting: 'members',
  topic: null,
  description: null,
  archived: false,
  kinds: {},
  seq: 0,
  role: 'member',
  can: CAN,
  created_at: AT,
  ...fields,
});
const mine = (id: string, name: string) => ({
  room: room(id, name),
  last_message: null,
  last_n: 0,
  read_n: 0,
  unread: 0,
  mentions: 0,
  favourite: false,
  notify: 'all',
  peer: null,
});
const member = (user_id: string, name: string) => ({
  room_id: ROOM,
  user_id,
  name,
  role: 'member',
  muted_until: null,
  banned: false,
  version: 1,
  created_at: AT,
});

const QUIET_TURNS = 6;

export class ChatStage {
  readonly clock = new ManualClock();
  /** Everything that a screen reader would say. */
  readonly said: string[] = [];
  readonly told: string[] = [];
  readonly gone: string[] = [];
  readonly kept = new Map<string, string>();
  /** Answers of REST in place of the usual ones, by path. */
  readonly answers = new Map<string, Json | number>();
  isSeen = true;
  peer!: Peer;
  chat!: Chat;
  session!: CookieSession;
  #server!: ScriptedServer;
  #cookie = '';
  #round = 1;
  #underWay = 0;
  #asked = 0;
  #frames = 0;

  static async start(path = `/chat/${ROOM}`): Promise<ChatStage> {
    const stage = new ChatStage();
    stage.#server = await ScriptedServer.start();
    void stage.#answerAll();
    stage.visit(path);
    return stage;
  }

  /** A page of this browser is opened. */
  visit(path: string): void {
    const { clock, kept } = this;
    const area = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    this.session = new CookieSession({
      url: this.#server.url,
      clock,
      webSocket: WebSocket,
      storage: memoryStorage(),
      readCookies: () => this.#cookie,
      fetch: async (url, init) => {
        this.#underWay += 1;
        this.#asked += 1;
        try {
          return await fetch(url, init);
        } finally {
          this.#underWay -= 1;
        }
      },
    });
    const [pathname, hash] = path.split('#');
    this.chat = new Chat(
      this.session,
      new Preferences(area, ['en'], () => Promise.resolve(en)),
      {
        root: '/chat',
        device: 'a test',
        area,
        go: (to) => this.gone.push(to),
        tell: (text) => this.told.push(text),
        notify: (title, text) => this.told.push(`notification: ${title}: ${text}`),
        isSeen: () => this.isSeen,
        clock,
        announced: (politeness, text) => this.said.push(`${politeness}: ${text}`),
      },
      {
        room: pathname === '/chat' ? null : pathname!.slice('/chat/'.length),
        at: null,
        link: hash === undefined ? null : { kind: 'invite', code: hash, tenant: null },
      },
    );
  }

  /** Somebody signs in, and the connection is live. */
  async signIn(): Promise<void> {
    const { signIn } = this.chat;
    signIn.tenant.value = 'acme';
    signIn.email.value = 'alice@acme.test';
    signIn.password.value = 'a password';
    await signIn.submit();
    await this.connected();
  }

  async connected(): Promise<void> {
    this.peer = await this.#server.peers.next();
    await this.peer.welcome();
    void this.#serve(this.peer);
    await this.settled();
  }

  /** Everything that is on its way arrives, and is said once its burst has ended. */
  async settled(ms = 1_000): Promise<void> {
    await this.#quiet();
    this.clock.advance(ms);
    await this.#quiet();
  }

  /** No call is under way, and for some turns nothing was asked, answered or said. */
  async #quiet(): Promise<void> {
    let seen = '';
    for (let still = 0; still < QUIET_TURNS; still += 1) {
      await this.#heard();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const now = [this.#asked, this.#frames, this.said.length, this.client.state].join();
      if (now !== seen || this.#underWay > 0) still = -1;
      seen = now;
    }
  }

  /** Frames are handled in order: once this one was, all before it were. */
  async #heard(): Promise<void> {
    const isOpen = this.peer?.socket.readyState === WebSocket.OPEN;
    if (!isOpen || !['live', 'paused'].includes(this.client.state)) return;
    const mark = Promise.race([this.client.once('error'), this.client.once('closed')]);
    const lost = this.client.once('waiting');
    this.peer.send({ type: 'error', code: 'internal', action: 'retry', message: 'a mark' });
    await Promise.race([mark, lost]);
  }

  /** The connection ends by this, and the client has noticed. */
  async ends(by: (peer: Peer) => void): Promise<void> {
    const over = Promise.race([this.client.once('waiting'), this.client.once('closed')]);
    by(this.peer);
    await over;
  }

  get client() {
    return this.session.client;
  }

  async stop(): Promise<void> {
    this.session.stop();
    this.chat.open.value?.close();
    await this.#server.stop();
  }

  /** The words since the last time. */
  heard(): string[] {
    return this.said.splice(0);
  }

  async #answerAll(): Promise<void> {
    for (;;) this.#answer(await this.#server.calls.next());
  }

  #answer(call: RestRequest): void {
    const path = call.url.split('?')[0]!;
    const given = this.answers.get(`${call.method} ${path}`);
    if (typeof given === 'number')
      return call.answer(given, { code: 'not_found', action: 'none', detail: 'no' });
    call.answer(200, given ?? this.#usual(path));
  }

  #usual(path: string): Json {
    const { access_token: _a, refresh_token: _r, ...grant } = tokens(this.#round);
    switch (path) {
      case '/v1/auth/login':
        this.#round += 1;
        this.#cookie = `wr_csrf=csrf_${this.#round}`;
        return { ...grant, session_id: `s${this.#round}` };
      case '/v1/auth/refresh':
        return { ...grant, session_id: `s${this.#round}` };
      case '/v1/auth/ticket':
        return { ticket: 'a ticket', expires_in: 30 };
      case '/v1/me':
        return {
          user_id: ALICE,
          tenant_id: 't',
          session_id: 's',
          tenant: { id: 't', slug: 'acme', name: 'Acme' },
          role: 'member',
          email: 'alice@acme.test',
          name: 'Alice',
          avatar: null,
          status: null,
        };
      case '/v1/me/rooms':
        return { items: [mine(ROOM, 'Lobby'), mine(OTHER, 'Other')], next_cursor: null };
      case `/v1/rooms/${ROOM}`:
        return room(ROOM, 'Lobby');
      case `/v1/rooms/${OTHER}`:
        return room(OTHER, 'Other');
      case `/v1/rooms/${ROOM}/messages`:
      case `/v1/rooms/${OTHER}/messages`:
        return { items: [], next_cursor: null, epoch: 'e1', seq: 0 };
      case `/v1/rooms/${ROOM}/members`:
        return { items: [member(ALICE, 'Alice'), member(BEN, 'Ben')], next_cursor: null };
      default:
        return { items: [], next_cursor: null };
    }
  }

  /** Frames of messages that were published. */
  readonly published: Json[] = [];
  async #serve(peer: Peer): Promise<void> {
    for (;;) {
      const frame = await peer.frames.next();
      this.#frames += 1;
      const { type, id } = frame;
      if (type === 'subscribe')
        peer.send({
          type: 'subscribed',
          id,
          room: ROOM,
          seq: 0,
          epoch: 'e1',
          role: 'member',
          can: CAN,
          recovered: true,
          replayed: 0,
        });
      if (type === 'watch') peer.send({ type: 'watching', id, rooms: 2 });
      if (type === 'presence')
        peer.send({ type: 'presence', id, room: ROOM, count: 2, users: [ALICE, BEN] });
      if (type === 'read') peer.send({ type: 'ack', id, room: ROOM, seq: frame['seq'] });
      if (type === 'publish') this.published.push(frame);
    }
  }
}
