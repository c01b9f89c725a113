/** A token ends on a connection that publishes and receives all the time. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { mustBeGapless, mustBeStored, pause } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';
import type { Arrived } from '../wire/wire.js';
import { expiryOf } from '../world.js';

/** Half of the default `PUBLISH_RATE`. */
const EVERY_MS = 100;
/** How long it goes on after the end: longer than the bound, shorter than a grace. */
const BEYOND_MS = 1_600;

interface Sent {
  readonly op: string;
  readonly sentAt: number;
  answer: Arrived | undefined;
}

export const expiresBusy = drill({
  id: 'D2',
  name: 'a token expires while its connection is busy',
  tenant: 'brief',
  steps: {
    detect: step('detect', 'The end of the token is noticed between two frames.', 'expiry'),
    'stop.act': step('stop', 'No publish is accepted after it, by the server’s clock.', 'expiry'),
    'stop.hear': step('stop', 'No message of after it is delivered, by that clock.', 'expiry'),
    notify: step('notify', 'Every refusal says token_expired, and what to do: refresh.'),
    refresh: step('refresh', 'A new token is taken on the same connection.', 'close'),
    reconnect: step('reconnect', 'The connection is not closed: there is no need to.'),
    effect: step('effect', 'A refused publish has one effect when it is sent again.'),
  },
  async run(stage) {
    const { world } = stage;
    const [ben, invited] = [await world.newcomer('ben'), await world.person('ada')];
    const room = await world.room(ben, invited);
    const ada = await world.signIn(invited);
    const exp = expiryOf(ada.tokens.access_token);
    const wire = await stage.wire(ada.tokens.access_token);
    const { seq: start } = await wire.subscribe(room);
    const [ok] = wire.of('auth_ok');
    const endsAt = ok!.arrivedAt + ok!.expires_in_ms;

    const sent: Sent[] = [];
    let bens: Promise<unknown> = Promise.resolve();
    for (let i = 0; performance.now() < endsAt + BEYOND_MS && !wire.ended; i += 1) {
      const one: Sent = { op: newId(), sentAt: performance.now(), answer: undefined };
      sent.push(one);
      wire.publish(room, i, one.op).then(
        (answer) => (one.answer = answer),
        () => {},
      );
      if (i % 3 === 0) {
        bens = bens.then(async () => world.publish(room, await world.fresh(ben), `ben ${i}`));
        bens.catch(() => {});
      }
      await pause(EVERY_MS);
    }
    await bens;
    if (!wire.ended) await wire.settled();
    const accepted = sent.filter(({ answer }) => answer?.type === 'ack');
    // Stored just before the end: their answers are held like every word of a room.
    const held = sent.filter(({ sentAt, answer }) => answer === undefined && sentAt < endsAt);
    const refused = sent.filter((one) => !accepted.includes(one) && !held.includes(one));
    const renewedFrom = wire.frames.length;

    await stage.step('detect', () => {
      const [expired] = wire.of('auth_expired');
      must(expired !== undefined, 'auth_expired did not come');
      return ms(expired!.arrivedAt - endsAt);
    });
    await stage.step('stop.act', () => {
      must(accepted.length > 0, 'nothing was accepted before the end');
      must(refused.length > 0, 'nothing was refused after the end');
      const last = accepted.at(-1)!.answer;
      return ms(Date.parse((last?.type === 'ack' && last.at) || '') - exp);
    });
    await stage.step('stop.hear', () => {
      const last = wire.of('message').at(-1);
      must(last !== undefined, 'nothing was delivered before the end');
      return ms(Date.parse(last!.at) - exp);
    });
    await stage.step('notify', () => {
      for (const { answer } of refused) {
        const action = answer?.type === 'error' ? answer.action : 'none';
        const word = answer === undefined ? 'nothing' : `${wordOf(answer)} ${action}`;
        must(word === 'error token_expired refresh', `a refusal said ${word}`);
      }
    });
    await stage.step('refresh', async () => {
      const sentAt = performance.now();
      const { access_token: token } = await world.refreshed(ada.tokens);
      const answer = await wire.ask({ type: 'auth_refresh', token });
      must(answer.type === 'auth_ok', `auth_refresh was answered ${wordOf(answer)}`);
      return ms(answer.arrivedAt - sentAt);
    });
    await stage.step('reconnect', async () => {
      await wire.settled();
      must(wire.ended === undefined, `the connection was closed: ${wire.lastWords()}`);
    });
    await stage.step('effect', async () => {
      for (const { op } of refused) {
        const again = await wire.publish(
          room,
          sent.findIndex((one) => one.op === op),
          op,
        );
        must(again.type === 'ack', `it was answered ${wordOf(again)}`);
      }
      for (const { op, answer } of held)
        must(answer?.type === 'ack', `the held answer of ${op} did not come`);
      const history = await world.history(room, await world.fresh(ben));
      mustBeStored(
        history,
        sent.map(({ op }) => op),
        1,
      );
      const end = history.at(-1)!.seq;
      await wire.next('message', ({ seq }) => seq === end, { from: renewedFrom });
      mustBeGapless(
        wire.of('message').map(({ seq }) => seq),
        start + 1,
        end,
      );
    });
  },
});
