/**
 * A WebSocket whose cable can be pulled: its client hears nothing more but the loss. A browser has
 * no way to end a connection without a word, so the word goes out and its answer is not heard.
 */
import type { SocketConstructor, SocketLike } from '@wardroom/client';

type Listener = (event: never) => void;

/** The connection was lost: no close frame says so. */
const LOST = { code: 1006, reason: '' };

export function cuttable(WebSocket: SocketConstructor): {
  readonly socket: SocketConstructor;
  /** Cuts the newest. */
  now(): void;
} {
  let pull = (): void => {};
  const socket = function (url: string, protocols: string[]): SocketLike {
    const inner = new WebSocket(url, protocols);
    let cut = false;
    const closing: Listener[] = [];
    const hears = (listener: Listener) => (event: never) => {
      if (!cut) listener(event);
    };
    pull = () => {
      if (cut) return;
      cut = true;
      inner.close(1000);
      for (const listener of closing) listener(LOST as never);
    };
    return {
      get readyState() {
        return inner.readyState;
      },
      send: (text: string) => {
        if (!cut) inner.send(text);
      },
      close: (code?: number, reason?: string) => inner.close(code, reason),
      addEventListener: (type: string, listener: Listener) => {
        if (type === 'close') closing.push(listener);
        inner.addEventListener(type as 'message', hears(listener) as () => void);
      },
    } as SocketLike;
  };
  return { socket: socket as unknown as SocketConstructor, now: () => pull() };
}
