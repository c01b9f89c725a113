/**
 * Hostile clients, in a process of their own, so that who measures beside them is not slowed down
 * by making them. Each does what costs it least and the node most, of one kind (F1 to F12,
 * docs/security.md), from an address of its kind, until told to stop; then they say what they were
 * answered. Forked by hostile-crowd.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** Between two acts of a client; an act may be a hundred frames. */
const PAUSE_MS = 100;
const JSON_TYPE = { 'content-type': 'application/json' };

/** @typedef {{ token: string, email: string, password: string }} User */
/**
 * @type {{ url: string, wsUrl: string, tenant: string, clients: number, users: User[], room:
 * string, message: string, loud: string }}
 */
let place;
let over = false;
/** @type {Record<string, Record<string, number>>} */
const answers = {};
/** @type {Record<string, number>} */
const acts = {};
/**
 * Refusals without a code.
 * @type {string[]}
 */
const uncoded = [];

/** @param {string} kind @param {string} answer */
function count(kind, answer) {
  const own = (answers[kind] ??= {});
  own[answer] = (own[answer] ?? 0) + 1;
}

/** @param {string} kind @param {string} what */
function countUncoded(kind, what) {
  if (over) return;
  count(kind, what);
  if (uncoded.length < 20) uncoded.push(`${kind}: ${what}`);
}

/** The code of a refusal, or nothing. @param {string} text */
function codeOf(text) {
  try {
    const { code } = JSON.parse(text);
    return typeof code === 'string' ? code : null;
  } catch {
    return null;
  }
}

class Client {
  /** @param {string} kind @param {number} index */
  constructor(kind, index) {
    this.kind = kind;
    this.index = index;
    this.user = place.users[index % place.users.length];
    this.localAddress = `127.0.1.${kind.slice(1)}`;
    this.agent = new Agent({ keepAlive: true, localAddress: this.localAddress });
    this.bearer = { authorization: `Bearer ${this.user.token}` };
  }

  /**
   * @param {string} method @param {string} path @param {Record<string, string>} headers @param
   * {unknown} [body]
   */
  rest(method, path, headers, body) {
    return new Promise((resolve) => {
      const sent = request(
        place.url + path,
        {
          method,
          headers: body === undefined ? headers : { ...JSON_TYPE, ...headers },
          agent: this.agent,
        },
        (answer) => {
          let text = '';
          answer
            .setEncoding('utf8')
            .on('data', (chunk) => (text += answer.statusCode >= 400 ? chunk : ''));
          answer.on('end', () => {
            const code = answer.statusCode < 400 ? String(answer.statusCode) : codeOf(text);
            if (code === null) countUncoded(this.kind, `${answer.statusCode} ${text.slice(0, 80)}`);
            else count(this.kind, code);
            resolve(undefined);
          });
        },
      );
      sent.on('error', (error) => (countUncoded(this.kind, error.message), resolve(undefined)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /**
   * A socket that is made again when it ends. `reads`: false for a client that reads nothing, and
   * so does not learn why it ends. @param {{ token?: string, reads?: boolean }} options
   */
  socket({ token, reads = true }) {
    return new Promise((resolve) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const ws = new WebSocket(place.wsUrl, ['wardroom.v1'], {
        headers,
        localAddress: this.localAddress,
        perMessageDeflate: false,
      });
      ws.on('error', () => undefined);
      ws.on('open', () => {
        if (!reads) ws.pause();
        resolve(ws);
      });
      ws.on('unexpected-response', (_, answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => {
          const code = codeOf(text);
          if (code === null)
            countUncoded(this.kind, `upgrade: ${answer.statusCode} ${text.slice(0, 80)}`);
          else count(this.kind, code);
          resolve(null);
        });
      });
      ws.on('message', (data) => {
        const { type, code } = JSON.parse(String(data));
        if (type === 'error') count(this.kind, code);
      });
      ws.on('close', (status, reason) => {
        const code = codeOf(String(reason));
        if (code !== null) count(this.kind, `closed: ${code}`);
        else if (!reads) count(this.kind, 'closed, unread');
        else countUncoded(this.kind, `closed: ${status}`);
        resolve(null);
      });
    });
  }

  /**
   * Keeps a socket, and sends what `act` makes of it whenever it has taken what was sent before.
   * @param {{ token?: string, reads?: boolean }} options @param {(ws: WebSocket) => void} act
   */
  async keep(options, act) {
    const ws = await this.socket(options);
    while (ws !== null && !over && ws.readyState === WebSocket.OPEN) {
      if (ws.bufferedAmount < 1_000_000) act(ws);
      await sleep(PAUSE_MS);
    }
    ws?.terminate();
  }
}

const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const frame = (ws, value) => ws.send(JSON.stringify(value));

/** One act of each kind. @type {Record<string, (client: Client) => Promise<unknown>>} */
const KINDS = {
  F1: (client) => client.rest('POST', '/v1/auth/login', {}, { ['eyJ'.repeat(20_000)]: 1 }),
  F2: (client) => client.rest('GET', '/openapi.json', {}),
  F3: (client) =>
    client.keep({ token: client.user.token, reads: false }, (ws) =>
      times(100, () => ws.ping('x'.repeat(125))),
    ),
  F4: (client) => {
    const padded = JSON.stringify({ type: 'presence', room: place.room }).padEnd(65_000, ' ');
    return client.keep({ token: client.user.token }, (ws) => times(10, () => ws.send(padded)));
  },
  F5: (client) => {
    let since = 0;
    return client.keep({ token: client.user.token, reads: false }, (ws) =>
      times(10, () =>
        frame(ws, { type: 'subscribe', room: place.loud, since: (since += 37) % 50 }),
      ),
    );
  },
  F6: (client) =>
    Promise.all(
      times(40, () =>
        client.rest(
          'POST',
          `/v1/rooms/${place.room}/messages`,
          { ...client.bearer, 'idempotency-key': randomBytes(8).toString('hex') },
          { body: 'x'.repeat(30_000) },
        ),
      ),
    ),
  F7: (client) =>
    client.keep({ token: client.user.token }, (ws) =>
      times(30, (i) =>
        frame(ws, {
          type: 'react',
          room: place.room,
          message_id: place.message,
          emoji: `e${client.index}-${i}`,
          on: true,
        }),
      ),
    ),
  F8: (client) =>
    Promise.all(
      times(20, () =>
        client.rest('POST', '/v1/rooms', client.bearer, { name: 'r', visibility: 'private' }),
      ),
    ),
  F9: (client) =>
    Promise.all(
      times(10, () =>
        client.rest(
          'POST',
          '/v1/auth/login',
          {},
          { tenant: place.tenant, email: place.users[0].email, password: place.users[0].password },
        ),
      ),
    ),
  F10: (client) =>
    Promise.all(
      times(10, () =>
        client.rest('GET', '/v1/me', {
          authorization: `Bearer ${randomBytes(24).toString('base64url')}`,
        }),
      ),
    ),
  F11: (client) => client.keep({}, () => undefined),
  F12: (client) => {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(place.url).port),
      localAddress: client.localAddress,
    });
    if (client.index % 2 === 0) socket.write('GET /v1/ws HTTP/1.1\r\nHost: a\r\n');
    socket.resume();
    return new Promise((resolve) =>
      socket
        .on('error', () => undefined)
        .on('close', () => (count(client.kind, 'cut'), resolve(undefined))),
    );
  },
};

async function run() {
  const names = Object.keys(KINDS);
  await Promise.all(
    times(place.clients, async (index) => {
      const kind = names[index % names.length];
      const client = new Client(kind, Math.floor(index / names.length));
      while (!over) {
        acts[kind] = (acts[kind] ?? 0) + 1;
        await Promise.race([KINDS[kind](client), stopped]);
        await sleep(PAUSE_MS);
      }
      client.agent.destroy();
    }),
  );
}

/** @type {() => void} */
let stop;
const stopped = new Promise((resolve) => (stop = () => resolve(undefined)));

process.on('message', (/** @type {any} */ message) => {
  if (message.place !== undefined) {
    place = message.place;
    void run().then(() => process.send({ acts, answers, uncoded }, () => process.exit(0)));
  } else {
    over = true;
    stop();
  }
});
process.on('disconnect', () => process.exit(0));
