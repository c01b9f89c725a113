/** A refresh token that was used up comes again: somebody has a copy. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { counted, mustBeStored, mustBeTold, mustHearNothing } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { good, mustRefuse } from '../world.js';

/** Tabs that refresh at the same moment. */
const TABS = 5;

export const refreshReplayed = drill({
  id: 'D7',
  name: 'a refresh token is replayed',
  steps: {
    'tabs.effect': step('effect', 'Tabs that refresh at once get one and the same successor.'),
    detect: step('detect', 'A used-up refresh token is recognised.', 'revocation'),
    'stop.hear': step('stop', 'No connection of the session gets another message.'),
    'stop.act': step('stop', 'The newest access token is refused on every node.'),
    notify: step('notify', 'Every connection is told token_reuse and closed.', 'revocation'),
    refresh: step('refresh', 'The newest refresh token is refused as well.'),
    reconnect: step('reconnect', 'The session is over; a person may sign in again.'),
    effect: step('effect', 'Nothing that was sent after it was stored.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const room = await world.room(ben, ada);
    const owner = ben.tokens.access_token;
    const stolen = ada.tokens;

    await stage.step('tabs.effect', async () => {
      const answers = await Promise.all(
        Array.from({ length: TABS }, (_, i) => world.refresh(stolen, i)),
      );
      const successors = answers.map((answer) => good(answer, 'refresh')['refresh_token']);
      must(new Set(successors).size === 1, `${new Set(successors).size} successors were given`);
      ada.tokens = answers[0]!.body as unknown as typeof ada.tokens;
    });
    const newest = await world.refreshed(ada.tokens, 1);
    const { access_token: token } = newest;
    const wires = [await stage.wire(token), await stage.wire(token, 1)];
    const bens = await stage.wire(owner, 1);
    for (const wire of [...wires, bens]) await wire.subscribe(room);

    const startedAt = performance.now();
    await stage.step('detect', async () => {
      mustRefuse(await world.refresh(stolen, 1), 'token_reuse', 'login');
      return ms(performance.now() - startedAt);
    });
    const before = counted(wires);
    const late = newId();
    for (const wire of wires)
      wire.send({ type: 'publish', id: newId(), room, op_id: late, body: 'late' });
    await stage.step('stop.hear', async () => {
      const seq = await world.publish(room, owner, 'after');
      await bens.next('message', (frame) => frame.seq === seq);
      await mustHearNothing(wires, before);
    });
    await stage.step('stop.act', async () => {
      for (const node of transport.nodes.keys())
        mustRefuse(await transport.call('/v1/me', { token, node }), 'token_reuse', 'login');
    });
    await stage.step('notify', async () => {
      const ends = await Promise.all(
        wires.map((wire) => mustBeTold(wire, 'token_reuse', 'login', 1008)),
      );
      return ms(Math.max(...ends.map(({ at }) => at)) - startedAt);
    });
    await stage.step('refresh', async () => {
      mustRefuse(await world.refresh(newest), 'token_reuse', 'login');
    });
    await stage.step('reconnect', async () => {
      const again = stage.keep(await transport.open(1));
      await again.authenticate(token);
      await mustBeTold(again, 'token_reuse', 'login', 1008);
      const anew = await world.signIn(ada, 1);
      await (await stage.wire(anew.tokens.access_token)).subscribe(room);
    });
    await stage.step('effect', async () => {
      mustBeStored(await world.history(room, owner), [late], 0);
    });
  },
});
