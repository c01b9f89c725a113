/**
 * A client comes back with a position: a good one, one of another past, and one from the future.
 */
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { mustBeGapless, mustHearNothing } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';
import { good } from '../world.js';

const BEFORE = 8;

export const oldEvents = drill({
  id: 'D10',
  name: 'old events after a reset and after since',
  steps: {
    detect: step('detect', 'A position of another past is recognised: reset, not recovered.'),
    'stop.reset': step('stop', 'Nothing old is replayed under a position of another past.'),
    'stop.future': step('stop', 'A position beyond the end is not called recovered.'),
    notify: step('notify', 'The answer names the epoch and the end of the room.'),
    refresh: step('refresh', 'A new token on the connection replays nothing.'),
    reconnect: step('reconnect', 'The missed events come in order after a reconnect.', 'repair'),
    'effect.once': step('effect', 'No event comes twice, and none is left out.'),
    'effect.removed': step('effect', 'A member who was removed meanwhile gets none of it.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const room = await world.room(ben, ada);
    const owner = ben.tokens.access_token;
    const publish = async (count: number): Promise<number> => {
      let seq = 0;
      for (let i = 0; i < count; i += 1) seq = await world.publish(room, owner, `event ${i}`);
      return seq;
    };
    const first = await publish(BEFORE);
    const wire = await stage.wire(ada.tokens.access_token, 1);
    const { seq: start, epoch } = await wire.subscribe(room);

    const reset = await stage.wire(ada.tokens.access_token);
    const answer = await reset.subscribe(room, { since: 2, epoch: `another ${epoch}` });
    await stage.step('detect', () => {
      must(!answer.recovered, 'it says recovered');
      must(answer.reset === true, 'it does not say reset');
    });
    await stage.step('stop.reset', async () => {
      await reset.settled();
      await mustHearNothing([reset], [0]);
    });
    await stage.step('stop.future', async () => {
      const ahead = await stage.wire(ada.tokens.access_token);
      const beyond = await ahead.subscribe(room, { since: first + 1_000, epoch });
      must(!beyond.recovered, 'it says recovered');
      await mustHearNothing([ahead], [0]);
    });
    await stage.step('notify', () => {
      must(answer.epoch === epoch, `it names the epoch ${answer.epoch}`);
      must(answer.seq === first, `it names seq ${answer.seq} for ${first}`);
    });
    const middle = await publish(3);
    await wire.next('message', ({ seq }) => seq === middle);
    await stage.step('refresh', async () => {
      ada.tokens = await world.refreshed(ada.tokens);
      const before = wire.frames.length;
      const renewed = await wire.ask({ type: 'auth_refresh', token: ada.tokens.access_token });
      must(renewed.type === 'auth_ok', `auth_refresh was answered ${wordOf(renewed)}`);
      await mustHearNothing([wire], [before]);
    });
    wire.close();
    await wire.whenEnded;
    const missed = await publish(3);
    const back = await stage.wire(ada.tokens.access_token);
    await stage.step('reconnect', async () => {
      const askedAt = performance.now();
      const subscribed = await back.subscribe(room, { since: middle, epoch });
      must(subscribed.recovered && subscribed.reset !== true, 'it does not say recovered');
      const last = await back.next('message', ({ seq }) => seq === missed);
      return ms(last.arrivedAt - askedAt);
    });
    await stage.step('effect.once', async () => {
      const end = await publish(1);
      await back.next('message', ({ seq }) => seq === end);
      const seqs = [...wire.of('message'), ...back.of('message')].map(({ seq }) => seq);
      mustBeGapless(seqs, start + 1, end);
    });
    await stage.step('effect.removed', async () => {
      const path = `/v1/rooms/${room}/members/${ada.id}`;
      good(await transport.call(path, { method: 'DELETE', token: owner }), 'remove a member');
      await publish(1);
      const gone = await stage.wire(ada.tokens.access_token, 1);
      const refused = await gone.ask({ type: 'subscribe', room, since: middle, epoch });
      must(wordOf(refused) === 'error not_found', `subscribe was answered ${wordOf(refused)}`);
      await mustHearNothing([gone], [0]);
    });
  },
});
