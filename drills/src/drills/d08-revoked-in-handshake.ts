/** Sessions are revoked at the moment in which their connections are being authenticated. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { counted, mustBeStored, mustBeTold, mustHearNothing, pause } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import type { Wire } from '../wire/wire.js';
import { good, mustBeEffective, mustRefuse } from '../world.js';
import type { SignedIn } from '../world.js';

const ATTEMPTS = 6;
/** Of a handshake and a revocation: one of them is first by some milliseconds. */
const APART_MS = 15;

interface Attempt {
  readonly session: SignedIn;
  readonly wire: Wire;
  readonly op: string;
}

export const revokedInHandshake = drill({
  id: 'D8',
  name: 'a session is revoked during the handshake',
  steps: {
    detect: step('detect', 'Every node has each revocation with its receipt.', 'revocation'),
    stop: step('stop', 'No connection is left that hears or does anything.'),
    notify: step('notify', 'Each is told session_revoked and closed.', 'close'),
    refresh: step('refresh', 'The refresh token is refused, with the action login.'),
    reconnect: step('reconnect', 'A second handshake with the same token is refused.'),
    effect: step('effect', 'An acknowledged publish is stored once, and none twice.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const room = await world.room(ben, ada);
    const owner = ben.tokens.access_token;
    const bens = await stage.wire(owner, 1);
    await bens.subscribe(room);
    const attempts: Attempt[] = [];
    for (let i = 0; i < ATTEMPTS; i += 1) {
      const session = await world.signIn(ada, i);
      attempts.push({ session, wire: stage.keep(await transport.open(1)), op: newId() });
    }

    const receipts: { at: number; ms: number }[] = [];
    await stage.step('detect', async () => {
      await Promise.all(
        attempts.map(async ({ session, wire, op }, i) => {
          const apart = (stage.random() * 2 - 1) * APART_MS;
          const handshake = pause(Math.max(0, apart)).then(() => {
            wire.send({ type: 'auth', token: session.tokens.access_token });
            wire.send({ type: 'subscribe', id: 's', room });
            wire.send({ type: 'publish', id: 'p', room, op_id: op, body: i });
          });
          await pause(Math.max(0, -apart));
          const startedAt = performance.now();
          const body = { session: session.tokens.session_id, reason: 'drill' };
          const answer = await world.asOperator('/v1/admin/revocations', { body });
          mustBeEffective(good(answer, 'revoke a session'));
          const at = performance.now();
          receipts.push({ at, ms: at - startedAt });
          await handshake;
        }),
      );
      return ms(Math.max(...receipts.map((receipt) => receipt.ms)));
    });
    const wires = attempts.map(({ wire }) => wire);
    const receiptAt = performance.now();
    const late = attempts.map(() => newId());
    await stage.step('stop', async () => {
      wires.forEach((wire, i) =>
        wire.send({ type: 'publish', id: 'l', room, op_id: late[i], body: 'late' }),
      );
      const before = counted(wires);
      const seq = await world.publish(room, owner, 'after');
      await bens.next('message', (frame) => frame.seq === seq);
      await mustHearNothing(wires, before);
      mustBeStored(await world.history(room, owner), late, 0);
    });
    await stage.step('notify', async () => {
      const ends = await Promise.all(
        wires.map((wire) => mustBeTold(wire, 'session_revoked', 'login', 1008)),
      );
      return ms(Math.max(...ends.map(({ at }) => at)) - receiptAt);
    });
    await stage.step('refresh', async () => {
      for (const { session } of attempts)
        mustRefuse(await world.refresh(session.tokens), 'session_revoked', 'login');
    });
    await stage.step('reconnect', async () => {
      const again = stage.keep(await transport.open());
      await again.authenticate(attempts[0]!.session.tokens.access_token);
      await mustBeTold(again, 'session_revoked', 'login', 1008);
    });
    await stage.step('effect', async () => {
      const history = await world.history(room, owner);
      for (const { wire, op } of attempts) {
        const stored = history.filter(({ op_id: id }) => id === op).length;
        const acknowledged = wire.of('ack').some(({ op_id: id }) => id === op);
        must(stored <= 1, `a publish is stored ${stored} times`);
        must(!acknowledged || stored === 1, 'an acknowledged publish is not stored');
      }
    });
  },
});
