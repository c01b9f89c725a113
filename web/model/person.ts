/**
 * One of the two people of the try-out: one session, two tabs that share it as the tabs of a
 * browser do.
 */
import { signal } from '@preact/signals';
import {
  type Clock,
  type SessionStorage,
  WardroomError,
  WardroomSession,
  type IssuedTokens,
} from '@wardroom/client';
import { type TryNode } from './nodes.js';
import { Tab, type TabEvent } from './tab.js';

export class Person {
  readonly tabs: readonly Tab[];
  /** Renewals fail, as if the refresh endpoint were away. */
  readonly renewalBlocked = signal(false);
  /** The lead of the clock of this person's device, ms. */
  readonly clockAheadMs = signal(0);
  /** Why the last sign-in was refused. */
  readonly refused = signal<string | null>(null);
  userId = '';
  sessionId = '';
  readonly #storage: SessionStorage;
  #session: WardroomSession;

  constructor(
    readonly name: 'ada' | 'ben',
    nodes: readonly TryNode[],
    nameOf: (user: string) => string,
    happened: (event: TabEvent) => void,
  ) {
    const clock: Clock = {
      now: () => Date.now() + this.clockAheadMs.value,
      setTimeout: (run, ms) => window.setTimeout(run, ms),
      clearTimeout: (timer) => window.clearTimeout(timer as number | undefined),
    };
    let kept: string | null = null;
    this.#storage = {
      name: `try-out ${name}`,
      get: () => kept,
      set: (text) => void (kept = text),
      remove: () => void (kept = null),
    };
    this.#session = this.#makeSession(clock);
    this.#clock = clock;
    this.tabs = [0, 1].map(
      (i) =>
        new Tab(`tab ${i + 1}`, nodes[i % nodes.length]!, clock, nameOf, (event) =>
          happened(event),
        ),
    );
  }
  readonly #clock: Clock;

  /** A new session, in both tabs. */
  async signIn(): Promise<void> {
    this.refused.value = null;
    this.renewalBlocked.value = false;
    try {
      const tokens = await trySignIn(this.tabs[0]!.node.url, this.name);
      this.#session = this.#makeSession(this.#clock);
      await this.#session.adopt(tokens);
      this.sessionId = tokens.session_id;
      this.userId = claimsOf(tokens.access_token).sub;
    } catch (error) {
      this.refused.value =
        error instanceof WardroomError ? error.message : 'The node does not answer.';
      return;
    }
    await this.openTabs();
  }

  /** Each tab has a session object of its own over one storage, as the tabs of a browser have. */
  async openTabs(): Promise<void> {
    await Promise.all(this.tabs.map((tab) => tab.open(this.#makeSession(this.#clock))));
  }

  accessToken(): Promise<string> {
    return this.#session.accessToken();
  }

  /** A newer token, whatever the present one is worth. */
  async renew(): Promise<void> {
    await this.#session.accessToken({ stale: await this.#session.accessToken() });
  }

  #makeSession(clock: Clock): WardroomSession {
    const fetch = (url: string, init: RequestInit): Promise<Response> => {
      if (this.renewalBlocked.value)
        return Promise.reject(new TypeError('blocked by the try-out page'));
      return globalThis.fetch(url, init);
    };
    return new WardroomSession({ url: location.origin, storage: this.#storage, clock, fetch });
  }
}

/** A call of development nodes only; a product has its login here. */
export async function trySignIn(url: string, person: string): Promise<IssuedTokens> {
  const answer = await fetch(`${url}/v1/try/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ person }),
    credentials: 'omit',
  });
  const body = (await answer.json()) as IssuedTokens & { code?: string; detail?: string };
  if (!answer.ok) throw new WardroomError(body.code ?? 'bad_answer', { message: body.detail });
  return body;
}

/** The subject of a token. For names only: nothing is decided by it here. */
export function claimsOf(token: string): { sub: string; sid: string; kid: string } {
  const [header, payload] = token
    .split('.', 2)
    .map(
      (part) =>
        JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, string>,
    );
  return { sub: payload!['sub']!, sid: payload!['sid']!, kid: header!['kid']! };
}
