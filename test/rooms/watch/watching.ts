/** Connections that watch, and what the tests of `watch` ask of them. */
import { live } from '../../protocol/harness.js';
import type { RawClient } from '../../support/raw-client.js';
import { call, nodeA, wsUrl } from '../../support/world.js';
import type { SignedIn } from '../../support/world.js';

export async function watching(base: string, { token }: SignedIn): Promise<RawClient> {
  const client = await live(wsUrl(base), token);
  await client.ask({ type: 'watch' });
  return client;
}

let ops = 0;

/** Answers the `ack`. */
export async function say(
  user: SignedIn,
  room: string,
  fields: Record<string, unknown> = {},
  base = nodeA(),
): Promise<any> {
  const { body } = await call(base, `/v1/rooms/${room}/messages`, {
    token: user.token,
    headers: { 'idempotency-key': `watch-${(ops += 1)}` },
    body: { body: 'x', ...fields },
  });
  return body;
}

export const activityOf =
  (room: string, n: number) =>
  (frame: any): boolean =>
    frame.type === 'activity' && frame.room === room && frame.n === n;

export const changeOf =
  (room: string, change: string) =>
  (frame: any): boolean =>
    frame.type === 'rooms_changed' && frame.room === room && frame.change === change;

export const about = (client: RawClient, room: string): any[] =>
  client.frames.filter((frame) => frame.room === room);
