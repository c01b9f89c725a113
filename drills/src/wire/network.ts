/** The transport of a Wardroom deployment: `fetch` and WebSockets, and an ear on both. */
import type { Fetch, SocketConstructor, SocketLike } from '@wardroom/client';
import { PROTOCOL, WS_PATH } from '@wardroom/protocol/limits';
import { Heard } from './heard.js';
import { Unreachable } from './transport.js';
import type { Answer, Call, Transport } from './transport.js';
import { Wire } from './wire.js';

const ANSWER_MS = 15_000;

export interface NetworkOptions {
  readonly urls: readonly string[];
  readonly webSocket: SocketConstructor;
  readonly fetch?: Fetch;
}

export function network(options: NetworkOptions): Transport & { readonly heard: Heard } {
  const nodes = options.urls.map((url) => url.replace(/\/+$/, ''));
  const heard = new Heard();
  const base = (node = 0): string => nodes[node % nodes.length]!;
  const ask = options.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
  const listening: Fetch = async (url, init) => {
    const response = await ask(url, init);
    const text = await response.text();
    heard.answer(url.slice(new URL(url).origin.length), response.status, response.headers, text);
    const { status, headers } = response;
    return new Response(status === 204 ? null : text, { status, headers });
  };
  return {
    nodes,
    heard,
    fetch: listening,
    socket: listeningSocket(options.webSocket, heard),
    call: (path, call = {}) => callOnce(listening, base(call.node) + path, call),
    open: (node, query = '') => {
      const url = `${base(node).replace(/^http/, 'ws')}${WS_PATH}${query || '?auth=message'}`;
      return Wire.open(listeningSocket(options.webSocket, heard), url, PROTOCOL);
    },
  };
}

async function callOnce(fetch: Fetch, url: string, call: Call): Promise<Answer> {
  const { method = call.body === undefined ? 'GET' : 'POST', body, token, headers = {} } = call;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      credentials: 'omit',
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (cause) {
    throw new Unreachable(`${new URL(url).origin} does not answer`, { cause });
  }
  const { status, ok } = response;
  return { status, ok, headers: response.headers, body: parsed(text) };
}

function parsed(text: string): Answer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Answer['body']) : null;
  } catch {
    return null;
  }
}

function listeningSocket(WebSocket: SocketConstructor, heard: Heard): SocketConstructor {
  return function (url: string, protocols: string[]): SocketLike {
    const socket = new WebSocket(url, protocols);
    socket.addEventListener('message', ({ data }) => heard.frame(String(data)));
    socket.addEventListener('close', ({ reason }) => heard.close(reason));
    return socket;
  } as unknown as SocketConstructor;
}
