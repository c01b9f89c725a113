/** A connection is lost while publishes are under way, and they are sent again. */
import type { Fetch } from '@wardroom/client';
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { cuttable } from '../wire/cuttable.js';
import { drill } from '../drill.js';
import { mustBeGapless, mustBeStored, pause, within } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';

const PUBLISHES = 20;

export const replayedOperations = drill({
  id: 'D9',
  name: 'a reconnect repeats operations by their op_id',
  steps: {
    detect: step('detect', 'The client notices that its connection is gone.'),
    stop: step('stop', 'A publish without an answer is not said to be done.'),
    notify: step('notify', 'A loss is told as a loss: connection_lost, and no sign-out.'),
    refresh: step('refresh', 'A good token is used again: no refresh is made.'),
    reconnect: step('reconnect', 'The client is back.', 'retry'),
    'effect.stored': step('effect', 'Each operation is stored once.'),
    'effect.heard': step('effect', 'Another subscriber hears each once, in order.', 'repair'),
    'effect.again': step('effect', 'The same again, at another node, has the first result.'),
    'effect.other': step('effect', 'Other content under the same op_id is op_conflict.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const room = await world.room(ben, ada);
    const owner = ben.tokens.access_token;
    const bens = await stage.wire(owner, 1);
    const { seq: start } = await bens.subscribe(room);
    const cut = cuttable(transport.socket);
    const seen = { refreshes: 0, done: 0, signedOut: false };
    const fetch: Fetch = (url, init) => {
      if (url.endsWith('/v1/auth/refresh')) seen.refreshes += 1;
      return transport.fetch(url, init);
    };
    const getToken = () => ada.tokens.access_token;
    const client = stage.client({ getToken, fetch, webSocket: cut.socket });
    client.on('signed_out', () => (seen.signedOut = true));
    await client.connect();
    const ops = Array.from({ length: PUBLISHES }, () => newId());
    const published = Promise.all(
      ops.map(async (opId, i) => {
        const ack = await client.room(room).publish(i, { opId });
        seen.done += 1;
        return ack;
      }),
    );
    published.catch(() => {});
    await pause(stage.random() * 20);
    const lost = client.once('waiting');
    const back = client.once('connected').then(() => performance.now());
    cut.now();
    const cutAt = performance.now();
    const doneAtCut = seen.done;
    const why = await within(lost, 1_000);

    await stage.step('detect', () => must(why !== undefined, 'it did not notice'));
    await stage.step('stop', async () => {
      await pause(0);
      const { state } = client;
      must(state !== 'waiting' || seen.done === doneAtCut, `${seen.done} were said to be done`);
    });
    await stage.step('notify', () => {
      const { code, action } = why!.why;
      must(code === 'connection_lost' && action === 'reconnect', `it was told ${code} ${action}`);
      must(!seen.signedOut, 'the client was signed out');
    });
    await stage.step('reconnect', async () => {
      const at = await within(back, 8_000);
      must(at !== undefined, 'the client did not come back');
      return ms(at! - cutAt);
    });
    await stage.step('refresh', () => {
      must(seen.refreshes === 0, `${seen.refreshes} refreshes were made`);
    });
    const acks = await published;
    await stage.step('effect.stored', async () => {
      mustBeStored(await world.history(room, owner), ops, 1);
    });
    await stage.step('effect.heard', async () => {
      const end = Math.max(...acks.map(({ seq }) => seq));
      const askedAt = performance.now();
      await bens.next('message', ({ seq }) => seq === end);
      const heardAt = performance.now();
      await bens.settled();
      const seqs = bens.of('message').map(({ seq }) => seq);
      mustBeGapless(seqs, start + 1, end);
      return ms(heardAt - askedAt);
    });
    const other = await stage.wire(ada.tokens.access_token, 1);
    await stage.step('effect.again', async () => {
      const again = await other.publish(room, 0, ops[0]);
      must(again.type === 'ack', `it was answered ${wordOf(again)}`);
      const same =
        again.type === 'ack' &&
        again.duplicate === true &&
        again.seq === acks[0]!.seq &&
        again.message_id === acks[0]!.message_id;
      must(same, 'it was taken for another operation');
    });
    await stage.step('effect.other', async () => {
      const conflict = await other.publish(room, 'something else', ops[0]);
      must(wordOf(conflict) === 'error op_conflict', `it was answered ${wordOf(conflict)}`);
    });
  },
});
