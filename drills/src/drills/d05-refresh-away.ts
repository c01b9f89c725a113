/** The refresh endpoint is away when a client needs it: a proxy of the drill refuses it. */
import { WardroomSession } from '@wardroom/client';
import type { Fetch } from '@wardroom/client';
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { mustBeStored, within } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';

const UNAVAILABLE = {
  type: 'urn:wardroom:unavailable',
  title: 'unavailable',
  status: 503,
  detail: 'The drill refuses this.',
  code: 'unavailable',
  action: 'retry',
};
/** Full jitter from half a second on asks less often than this in two token lives. */
const ATTEMPTS_MAX = 25;

export const refreshAway = drill({
  id: 'D5',
  name: 'the refresh endpoint is away',
  tenant: 'brief',
  steps: {
    detect: step('detect', 'The client meets the refusal, and keeps its session.'),
    stop: step('stop', 'From the end of its token nothing that it sends takes effect.'),
    notify: step('notify', 'The client is told that its token has expired.', 'expiry'),
    refresh: step('refresh', 'It renews by itself when the endpoint is back.', 'retry'),
    reconnect: step('reconnect', 'It needs no new connection for that.'),
    effect: step('effect', 'The publish that waited is stored once; nobody was stormed.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ben, invited] = [await world.newcomer('ben'), await world.person('ada')];
    const room = await world.room(ben, invited);
    const door = refusing(transport.fetch);
    const session = new WardroomSession({ url: transport.nodes[0]!, fetch: door.fetch });
    const ada = await world.signIn(invited);
    await session.adopt(ada.tokens);
    const client = stage.client({ session });
    const seen = { connections: 0, signedOut: false, pausedAt: 0 };
    client.on('connected', () => (seen.connections += 1));
    client.on('signed_out', () => (seen.signedOut = true));
    const paused = new Promise<void>((resolve) => {
      client.on('state', ({ state }) => {
        if (state !== 'paused' || seen.pausedAt > 0) return;
        seen.pausedAt = performance.now();
        resolve();
      });
    });
    const ok = await client.connect();
    const endsAt = performance.now() + ok.expires_in_ms;
    const wire = await stage.wire(ada.tokens.access_token);
    await client.room(room).subscribe();
    await within(Promise.race([paused, wire.whenEnded]), endsAt + 4_000 - performance.now());
    const op = newId();
    const rawOp = newId();
    const waiting = client.room(room).publish('waited', { opId: op });
    let early = false;
    waiting.then(
      () => (early = true),
      () => {},
    );

    await stage.step('detect', () => {
      must(door.asked > 0, 'the client did not try to refresh');
      must(!seen.signedOut, 'the client was signed out');
    });
    await stage.step('stop', async () => {
      const refused = await wire.publish(room, 'too late', rawOp);
      must(wordOf(refused) === 'error token_expired', `a publish was answered ${wordOf(refused)}`);
      must(!early, 'a publish of the client was accepted');
      mustBeStored(await world.history(room, await world.fresh(ben)), [op, rawOp], 0);
    });
    await stage.step('notify', () => {
      must(seen.pausedAt > 0, 'auth_expired did not come');
      return ms(seen.pausedAt - endsAt);
    });
    await stage.step('refresh', async () => {
      const back = performance.now();
      const live = Promise.race([client.once('refreshed'), client.once('connected')]);
      door.open = true;
      must((await within(live, 8_000)) !== undefined, 'the client did not come back');
      return ms(performance.now() - back);
    });
    await stage.step('reconnect', () => {
      must(seen.connections === 1, `it was connected ${seen.connections} times`);
    });
    await stage.step('effect', async () => {
      await waiting;
      mustBeStored(await world.history(room, await world.fresh(ben)), [op], 1);
      must(door.asked <= ATTEMPTS_MAX, `the endpoint was asked ${door.asked} times`);
    });
  },
});

/** A `fetch` that does not let a refresh through until it is open. */
function refusing(fetch: Fetch) {
  const door = {
    open: false,
    asked: 0,
    fetch: (async (url, init) => {
      if (!url.endsWith('/v1/auth/refresh')) return fetch(url, init);
      door.asked += 1;
      if (door.open) return fetch(url, init);
      const headers = { 'content-type': 'application/problem+json' };
      return new Response(JSON.stringify(UNAVAILABLE), { status: 503, headers });
    }) as Fetch,
  };
  return door;
}
