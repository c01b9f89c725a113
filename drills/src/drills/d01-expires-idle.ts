/** A token ends on a connection that does nothing. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { counted, mustBeStored, mustBeTold, mustHearNothing } from '../judge.js';
import { must, Skip } from '../must.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';

/** A longer grace does not fit into the time of a run. */
const GRACE_MS_MAX = 45_000;

export const expiresIdle = drill({
  id: 'D1',
  name: 'a token expires while its connection is idle',
  tenant: 'brief',
  steps: {
    detect: step('detect', 'The end of the token is noticed though nothing is sent.', 'expiry'),
    stop: step('stop', 'Nothing is delivered after it, and an action is refused.'),
    notify: step('notify', 'The connection was warned once before, and is told its grace.'),
    refresh: step('refresh', 'A new token is taken on the same connection.', 'close'),
    reconnect: step(
      'reconnect',
      'A connection that does not renew is closed after its grace.',
      'close',
    ),
    effect: step('effect', 'The message that was held back is delivered after it, once.', 'repair'),
  },
  async run(stage) {
    const { world } = stage;
    const [ben, invited] = [await world.newcomer('ben'), await world.person('ada')];
    const room = await world.room(ben, invited);
    const ada = await world.signIn(invited);
    const [renewed, left] = [
      await stage.wire(ada.tokens.access_token),
      await stage.wire(ada.tokens.access_token, 1),
    ];
    await Promise.all([renewed.subscribe(room), left.subscribe(room)]);
    const [ok] = renewed.of('auth_ok');
    const expired = await renewed.next('auth_expired').catch(() => undefined);
    const heldOp = newId();

    await stage.step('detect', () => {
      must(expired !== undefined, 'auth_expired did not come');
      return ms(expired!.arrivedAt - ok!.arrivedAt - ok!.expires_in_ms);
    });
    await stage.step('stop', async () => {
      const before = counted([renewed, left]);
      await world.publish(room, await world.fresh(ben), 'held', heldOp);
      const refused = await renewed.publish(room, 'too late');
      must(wordOf(refused) === 'error token_expired', `a publish was answered ${wordOf(refused)}`);
      await mustHearNothing([renewed, left], before);
    });
    await stage.step('notify', () => {
      const warnings = renewed.of('auth_expiring_soon');
      must(warnings.length === 1, `${warnings.length} warnings came`);
      must(warnings[0]!.arrivedAt < expired!.arrivedAt, 'the warning came after the end');
      must(expired!.grace_ms > 0, 'no grace was told');
    });
    const before = renewed.frames.length;
    let renewedAt = 0;
    await stage.step('refresh', async () => {
      const sentAt = performance.now();
      const token = (ada.tokens = await world.refreshed(ada.tokens)).access_token;
      const answer = await renewed.ask({ type: 'auth_refresh', token });
      must(answer.type === 'auth_ok', `auth_refresh was answered ${wordOf(answer)}`);
      renewedAt = answer.arrivedAt;
      return ms(answer.arrivedAt - sentAt);
    });
    await stage.step('effect', async () => {
      const held = await renewed.next('message', ({ op_id: op }) => op === heldOp, {
        from: before,
      });
      await renewed.settled();
      const copies = renewed.of('message').filter(({ op_id: op }) => op === heldOp).length;
      must(copies === 1, `it was delivered ${copies} times`);
      must(held.arrivedAt >= renewedAt, 'it was delivered before the renewal was confirmed');
      mustBeStored(await world.history(room, await world.fresh(ben)), [heldOp], 1);
      return ms(held.arrivedAt - renewedAt);
    });
    await stage.step('reconnect', async () => {
      const [told] = left.of('auth_expired');
      must(told !== undefined, 'the other connection was not told');
      if (told!.grace_ms > GRACE_MS_MAX)
        throw new Skip(`a grace of ${told!.grace_ms} ms is not waited for`);
      const closesAt = told!.arrivedAt + told!.grace_ms;
      await left.end(closesAt - performance.now() + 5_000);
      const ended = await mustBeTold(left, 'token_expired', 'refresh', 4001);
      ada.tokens = await world.refreshed(ada.tokens);
      await (await stage.wire(ada.tokens.access_token, 1)).subscribe(room);
      return ms(ended.at - closesAt);
    });
  },
});
