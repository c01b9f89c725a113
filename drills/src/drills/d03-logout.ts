/** A logout in one tab, seen by another tab of the session and by another session. */
import { WardroomSession } from '@wardroom/client';
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { counted, mustBeStored, mustBeTold, mustHearNothing } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { good, mustBeEffective, mustRefuse } from '../world.js';

export const logout = drill({
  id: 'D3',
  name: 'logout in one tab, another tab and another session',
  steps: {
    detect: step('detect', 'Every node has the logout when its receipt says so.', 'revocation'),
    'stop.hear': step('stop', 'No tab gets another message after the receipt.'),
    'stop.act': step('stop', 'The access token is refused on every node.'),
    notify: step('notify', 'Every tab is told session_revoked and closed.', 'revocation'),
    refresh: step('refresh', 'The refresh token is refused, with the action login.'),
    reconnect: step('reconnect', 'No tab comes back; the other session never left.'),
    effect: step('effect', 'Nothing that a tab sent after the receipt was stored.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const room = await world.room(ben, ada);
    const other = await world.signIn(ada);
    const { access_token: token } = ada.tokens;
    const tabs = [await stage.wire(token), await stage.wire(token, 1)];
    const elsewhere = await stage.wire(other.tokens.access_token, 1);
    const session = new WardroomSession({ url: transport.nodes[0]!, fetch: transport.fetch });
    await session.adopt(ada.tokens);
    const client = stage.client({ session }, 1);
    const signedOut = client.once('signed_out');
    await client.connect();
    for (const wire of [...tabs, elsewhere]) await wire.subscribe(room);

    const startedAt = performance.now();
    const answer = await transport.call('/v1/auth/logout', { token, body: {} });
    const receiptAt = performance.now();
    const before = counted(tabs);

    await stage.step('detect', () => {
      mustBeEffective(good(answer, 'log out'));
      return ms(receiptAt - startedAt);
    });
    const late = tabs.map(() => newId());
    tabs.forEach((tab, i) =>
      tab.send({ type: 'publish', id: newId(), room, op_id: late[i], body: 'late' }),
    );
    await stage.step('stop.hear', async () => {
      const seq = await world.publish(room, ben.tokens.access_token, 'after');
      await elsewhere.next('message', (frame) => frame.seq === seq);
      await mustHearNothing(tabs, before);
    });
    await stage.step('stop.act', async () => {
      for (const node of transport.nodes.keys())
        mustRefuse(await transport.call('/v1/me', { token, node }), 'session_revoked', 'login');
    });
    await stage.step('notify', async () => {
      const ends = await Promise.all(
        tabs.map((tab) => mustBeTold(tab, 'session_revoked', 'login', 1008)),
      );
      return ms(Math.max(...ends.map(({ at }) => at)) - startedAt);
    });
    await stage.step('refresh', async () => {
      const refused = await world.refresh(ada.tokens, 1);
      mustRefuse(refused, 'session_revoked', 'login');
    });
    await stage.step('reconnect', async () => {
      const { code } = await signedOut;
      must(code === 'session_revoked', `the client of the SDK was signed out by ${code}`);
      must(client.state === 'closed', `the client of the SDK is ${client.state}`);
      const again = stage.keep(await transport.open(1));
      await again.authenticate(token);
      await mustBeTold(again, 'session_revoked', 'login', 1008);
      await elsewhere.settled();
      must(elsewhere.ended === undefined, 'the other session was closed too');
    });
    await stage.step('effect', async () => {
      const history = await world.history(room, ben.tokens.access_token);
      mustBeStored(history, late, 0);
    });
  },
});
