/**
 * How a drill reaches a server. This is all it needs of one, so that another kind of server can be
 * drilled through an adapter. `network.ts` is the one for Wardroom.
 */
import type { Fetch, SocketConstructor } from '@wardroom/client';
import type { Wire } from './wire.js';

export interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Index into `nodes`; absent: the first. */
  readonly node?: number;
}

/** A refusal is an answer too; only an unreachable server throws. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  /** JSON, else null. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

export interface Transport {
  /** Addresses of the deployment. A promise of every node is tried through the last one. */
  readonly nodes: readonly string[];
  /** For clients of the SDK: the same way, and heard as well. */
  readonly fetch: Fetch;
  readonly socket: SocketConstructor;
  call(path: string, call?: Call): Promise<Answer>;
  /** A raw WebSocket, open and not yet authenticated; `query` is put behind the path. */
  open(node?: number, query?: string): Promise<Wire>;
}

/** The server did not answer at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
