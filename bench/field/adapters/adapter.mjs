/**
 * The interface of a server. A trial knows nothing else of it.
 *
 * @typedef {object} Adapter
 * @property {string} name
 * @property {string} title in the table
 * @property {number} nodes
 * @property {string[]} docs addresses of the pages by which the server is set up
 * @property {string} setUp how it is set up, in two lines
 * @property {{ logout: string | null, remove: string | null, repeat: string | null }} means what
 * its documentation names for an end, or null
 * @property {() => string} version
 * @property {() => string | undefined} missing the reason why the server cannot be had here
 * @property {(folder: string) => Promise<FieldServer>} start
 *
 * @typedef {object} FieldServer
 * @property {number[]} ports one a node
 * @property {(user: string, options?: { seconds?: number }) => Promise<string>} login a token of a
 * session of its own
 * @property {(users: string[]) => Promise<string>} room a room with these members
 * @property {(token: string) => Promise<void>} logout
 * @property {(user: string, room: string) => Promise<void>} remove
 * @property {(token: string, at?: { node?: 'first' | 'last', port?: number }) => Promise<Client>}
 * connect rejects when the server refuses the token
 * @property {() => Promise<void>} stop
 *
 * @typedef {'accepted' | 'refused' | 'unanswered'} Answer
 *
 * @typedef {object} Client
 * @property {{ body: string, at: number }[]} messages
 * @property {{ what: string, at: number }[]} told what it was told of the end of a right, unasked
 * @property {{ code: number | string, reason: string, at: number } | null} ended
 * @property {(room: string) => Promise<void>} join rejects when it is refused
 * @property {(room: string, body: string, id: string) => Promise<Answer>} publish
 * @property {() => void} close
 */
import { WebSocket } from 'ws';

/** How long an answer is waited for. */
const ANSWER_MS = 2_000;

/** When the token ends, on the clock of `performance.now`. */
export function endOf(token) {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  return exp * 1000 - Date.now() + performance.now();
}

/** Everything that a client keeps, and answers that are awaited by reference. */
export class Seat {
  /** @type {Client['messages']} */
  messages = [];
  /** @type {Client['told']} */
  told = [];
  /** @type {Client['ended']} */
  ended = null;
  #waiting = new Map();

  message(body) {
    this.messages.push({ body, at: performance.now() });
  }

  tell(what) {
    this.told.push({ what, at: performance.now() });
  }

  end(code, reason) {
    this.ended ??= { code, reason, at: performance.now() };
    for (const answer of this.#waiting.values()) answer('unanswered');
    this.#waiting.clear();
  }

  /** @returns {Promise<Answer>} */
  answerTo(ref) {
    if (this.ended !== null) return Promise.resolve('unanswered');
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(ref, 'unanswered'), ANSWER_MS);
      this.#waiting.set(ref, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  answer(ref, answer) {
    const waiting = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    waiting?.(answer);
  }
}

/**
 * @typedef {object} Speech
 * @property {string} url
 * @property {string} token
 * @property {boolean} [inHeader] of the upgrade
 * @property {string[]} [protocols]
 * @property {(frame: any, seat: Seat, ready: () => void) => void} read called with each frame
 * @property {object} [hello] the first frame of the client
 * @property {boolean} [readyAtOpen] else `read` says that the server has taken the token
 * @property {(room: string, ref: number) => object} joining makes a frame, answered by reference
 * @property {(room: string, body: string, id: string, ref: number) => object} publishing
 */

/**
 * A client over a plain WebSocket.
 * @param {Speech} speech
 * @returns {Promise<Client>}
 */
export async function plainClient(speech) {
  const { url, token, inHeader = true, protocols = [], read, hello, readyAtOpen } = speech;
  const headers = inHeader ? { authorization: `Bearer ${token}` } : {};
  const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
  const seat = new Seat();
  let refs = 1;
  const send = (frame) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  };
  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      socket.on('open', () => {
        if (hello !== undefined) send(hello);
        if (readyAtOpen) resolve();
      });
      socket.on('message', (data) => {
        for (const text of String(data).split('\n'))
          if (text !== '') read(JSON.parse(text), seat, resolve);
      });
      socket.on('error', reject);
      socket.on('close', (code, reason) => {
        seat.end(code, String(reason));
        reject(new Error(`refused: ${code} ${String(reason)}`));
      });
    })
  );
  return Object.assign(seat, {
    async join(room) {
      const ref = (refs += 1);
      send(speech.joining(room, ref));
      const answer = await seat.answerTo(ref);
      if (answer !== 'accepted') throw new Error(`join was ${answer}`);
    },
    publish(room, body, id) {
      const ref = (refs += 1);
      send(speech.publishing(room, body, id, ref));
      return seat.answerTo(ref);
    },
    close: () => socket.terminate(),
  });
}
