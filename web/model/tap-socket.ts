/**
 * A WebSocket whose traffic can be watched, and whose network can be taken away. A browser cannot
 * break a TCP connection, so the loss is made here: what is sent and what arrives is thrown away,
 * and no new connection opens. When the network is back the old connection is gone, as it is for a
 * phone that comes out of a tunnel.
 */
import type { SocketConstructor, SocketLike } from '@wardroom/client';

export interface Tap {
  sent(text: string): void;
  received(text: string): void;
  closed(status: number, reason: string): void;
}

export class Network {
  readonly #sockets = new Set<TappedSocket>();
  #cut = false;

  get cut(): boolean {
    return this.#cut;
  }

  add(socket: TappedSocket): void {
    this.#sockets.add(socket);
  }

  remove(socket: TappedSocket): void {
    this.#sockets.delete(socket);
  }

  lose(): void {
    this.#cut = true;
  }

  restore(): void {
    this.#cut = false;
    for (const socket of this.#sockets) socket.lost();
  }
}

type Listeners = {
  open: (() => void)[];
  message: ((event: { data: unknown }) => void)[];
  close: ((event: { code: number; reason: string; wasClean: boolean }) => void)[];
  error: (() => void)[];
};

class TappedSocket implements SocketLike {
  readonly #listeners: Listeners = { open: [], message: [], close: [], error: [] };
  readonly #real: WebSocket | null;
  #over = false;

  constructor(
    url: string,
    protocols: string[],
    private readonly network: Network,
    private readonly tap: Tap,
  ) {
    network.add(this);
    this.#real = network.cut ? null : new WebSocket(url, protocols);
    this.#real?.addEventListener('open', () => {
      if (!network.cut) for (const listener of this.#listeners.open) listener();
    });
    this.#real?.addEventListener('message', ({ data }) => {
      if (network.cut || this.#over) return;
      tap.received(String(data));
      for (const listener of this.#listeners.message) listener({ data });
    });
    this.#real?.addEventListener('close', ({ code, reason, wasClean }) => {
      if (!network.cut) this.#end(code, reason, wasClean);
    });
  }

  send(text: string): void {
    this.tap.sent(text);
    if (!this.network.cut && this.#real?.readyState === WebSocket.OPEN) this.#real.send(text);
  }

  close(code?: number, reason?: string): void {
    this.#real?.close(code, reason);
    this.network.remove(this);
  }

  addEventListener<Type extends keyof Listeners>(
    type: Type,
    listener: Listeners[Type][number],
  ): void {
    (this.#listeners[type] as Listeners[Type][number][]).push(listener);
  }

  /** The network is back: TCP has given up meanwhile. */
  lost(): void {
    this.#end(1006, '', false);
    this.#real?.close();
  }

  #end(code: number, reason: string, wasClean: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.network.remove(this);
    this.tap.closed(code, reason);
    for (const listener of this.#listeners.close) listener({ code, reason, wasClean });
  }
}

export function tappedSocket(network: Network, tap: Tap): SocketConstructor {
  return class extends TappedSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, network, tap);
    }
  };
}
