/** SDK clients of a test: closed when its file ends. */
import { afterAll } from '@jest/globals';
import { WebSocket } from 'ws';
import { WardroomClient } from '@wardroom/client';
import type { ClientOptions } from '@wardroom/client';
import type { SignedIn } from './world.js';

const clients: WardroomClient[] = [];

afterAll(() => {
  for (const client of clients.splice(0)) client.close();
});

/** Not connected yet. Its token is the user's present one, unless the options say otherwise. */
export function sdkClient(
  url: string,
  user: SignedIn,
  options: Partial<ClientOptions> = {},
): WardroomClient {
  const client = new WardroomClient({
    url,
    getToken: () => user.token,
    webSocket: WebSocket as never,
    ...options,
  });
  clients.push(client);
  return client;
}

export async function connected(
  url: string,
  user: SignedIn,
  options: Partial<ClientOptions> = {},
): Promise<WardroomClient> {
  const client = sdkClient(url, user, options);
  await client.connect();
  return client;
}

/** Collects what a room says; `until` waits for a number of them. */
export function collect<T>(subscribe: (listener: (event: T) => void) => unknown): {
  items: T[];
  until(count: number): Promise<T[]>;
} {
  const items: T[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  subscribe((event) => {
    items.push(event);
    for (const waiter of waiting) if (items.length >= waiter.count) waiter.resolve();
  });
  return {
    items,
    async until(count) {
      if (items.length < count) {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () =>
              reject(
                new Error(`${items.length} of ${count} events came: ${JSON.stringify(items)}`),
              ),
            10_000,
          );
          waiting.push({ count, resolve: () => (clearTimeout(timer), resolve()) });
        });
      }
      return items;
    },
  };
}
