/** Clients whose clock is ten minutes wrong, and one whose clock jumps. */
import { WardroomSession } from '@wardroom/client';
import type { Clock, Fetch, WardroomClient } from '@wardroom/client';
import { newId } from '../../../sdk/src/new-id.js';
import { systemClock } from '../../../sdk/src/clock.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { mustBeStored, mustBeTold, pause, within } from '../judge.js';
import { must } from '../must.js';
import type { Stage } from '../stage.js';
import { step } from '../steps.js';
import type { SignedIn } from '../world.js';

const TEN_MINUTES_MS = 600_000;
/** One a token life is due; a loop would be far beyond. */
const REFRESHES_MAX = 5;

interface Skewed {
  readonly name: string;
  readonly client: WardroomClient;
  readonly seen: { refreshes: number; connected: number; refreshed: number; signedOut: boolean };
}

export const wrongClock = drill({
  id: 'D6',
  name: 'the clock of a client is wrong by ten minutes, or jumps',
  tenant: 'brief',
  steps: {
    detect: step('detect', 'A client connects and publishes whatever its clock says.'),
    stop: step('stop', 'The server judges by its own clock: an expired token opens nothing.'),
    notify: step('notify', 'It says token_expired, and what to do: refresh.', 'close'),
    refresh: step('refresh', 'Every client renews in time on its connection.', 'expiry'),
    reconnect: step('reconnect', 'None loses its connection, and none refreshes in a loop.'),
    effect: step('effect', 'Each publish of each client is stored once.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const ada = await world.newcomer('ada');
    const room = await world.room(ada);
    const old = await world.signIn(ada);
    const oldEndsAt = old.issuedAt + old.tokens.expires_in * 1000;
    const jump = { by: 0 };
    const clocks: [string, () => number][] = [
      ['ten minutes ahead', () => TEN_MINUTES_MS],
      ['ten minutes behind', () => -TEN_MINUTES_MS],
      ['jumping', () => jump.by],
    ];
    const people = await Promise.all(
      clocks.map(([name, offset]) => skewed(stage, ada, name, offset)),
    );
    const ops: string[] = [];
    const publish = async ({ client }: Skewed) => {
      const opId = newId();
      ops.push(opId);
      await client.room(room).publish('ticking', { opId });
    };

    const endsAt: number[] = [];
    await stage.step('detect', async () => {
      for (const one of people) {
        const { expires_in_ms: life } = await one.client.connect();
        endsAt.push(performance.now() + life);
        await publish(one);
      }
    });
    const renewals = people.map(({ client }) =>
      client.once('refreshed').then(() => performance.now()),
    );
    jump.by = TEN_MINUTES_MS;
    await pause(1_000);
    jump.by = -2 * TEN_MINUTES_MS;
    await stage.step('refresh', async () => {
      const late = await Promise.all(
        renewals.map(async (renewed, i) => {
          const at = await within(renewed, endsAt[i]! + 2_000 - performance.now());
          must(at !== undefined, `the client whose clock is ${people[i]!.name} did not renew`);
          return at! - endsAt[i]!;
        }),
      );
      return ms(Math.max(...late));
    });
    await pause(Math.max(0, oldEndsAt + 1_000 - performance.now()));
    const startedAt = performance.now();
    const wire = stage.keep(await transport.open(1));
    await stage.step('stop', async () => {
      const answer = await wire.authenticate(old.tokens.access_token);
      must('status' in answer, 'an expired token was accepted');
    });
    await stage.step('notify', async () => {
      const { at } = await mustBeTold(wire, 'token_expired', 'refresh', 4001);
      return ms(at - startedAt);
    });
    await stage.step('reconnect', () => {
      for (const { name, seen } of people) {
        must(!seen.signedOut, `the client whose clock is ${name} was signed out`);
        must(seen.connected === 1, `the one ${name} was connected ${seen.connected} times`);
        must(seen.refreshes <= REFRESHES_MAX, `the one ${name} refreshed ${seen.refreshes} times`);
      }
    });
    await stage.step('effect', async () => {
      await Promise.all(people.map(publish));
      mustBeStored(await world.history(room, await world.fresh(ada)), ops, 1);
    });
  },
});

async function skewed(
  stage: Stage<never>,
  ada: SignedIn,
  name: string,
  offset: () => number,
): Promise<Skewed> {
  const { world, transport } = stage;
  const seen = { refreshes: 0, connected: 0, refreshed: 0, signedOut: false };
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset() };
  const fetch: Fetch = (url, init) => {
    if (url.endsWith('/v1/auth/refresh')) seen.refreshes += 1;
    return transport.fetch(url, init);
  };
  const session = new WardroomSession({ url: transport.nodes[0]!, fetch, clock });
  await session.adopt((await world.signIn(ada)).tokens);
  const client = stage.client({ session, clock });
  client.on('connected', () => (seen.connected += 1));
  client.on('refreshed', () => (seen.refreshed += 1));
  client.on('signed_out', () => (seen.signedOut = true));
  return { name, client, seen };
}
