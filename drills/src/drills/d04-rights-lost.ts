/** A role, a membership and a whole tenant are taken away under a living connection. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import { drill } from '../drill.js';
import { counted, mustBeStored, mustBeTold, mustHearNothing } from '../judge.js';
import { must } from '../must.js';
import type { Stage } from '../stage.js';
import { step } from '../steps.js';
import { wordOf } from '../wire/wire.js';
import { good, mustBeEffective, mustRefuse } from '../world.js';

const steps = {
  'role.detect': step('detect', 'Every node has the lower role with the receipt.', 'revocation'),
  'role.stop': step('stop', 'The next publish is refused: read_only.'),
  'role.notify': step('notify', 'The connection is told its new rights.', 'revocation'),
  'member.detect': step('detect', 'Every node has the removal with the receipt.', 'revocation'),
  'member.stop': step('stop', 'No later message is delivered to the removed member.'),
  'member.notify': step('notify', 'The connection is told removed, and stays.', 'revocation'),
  'tenant.detect': step('detect', 'Every node has the disabling with the receipt.', 'revocation'),
  'tenant.stop': step('stop', 'The access token is refused on every node.'),
  'tenant.notify': step('notify', 'Every connection is told and closed: stop.', 'revocation'),
  'tenant.refresh': step('refresh', 'The refresh token is refused: stop.'),
  'tenant.reconnect': step('reconnect', 'A new connection is refused, and so is a login.'),
  effect: step('effect', 'Nothing that was refused was stored.'),
};

export const rightsLost = drill<keyof typeof steps>({
  id: 'D4',
  name: 'role lost, membership lost, tenant disabled',
  steps,
  async run(stage) {
    await inRoom(stage);
    await inTenant(stage);
  },
});

async function inRoom(stage: Stage<keyof typeof steps>): Promise<void> {
  const { world, transport } = stage;
  const [ada, ben] = await world.pair('ada', 'ben');
  const room = await world.room(ben, ada);
  const owner = ben.tokens.access_token;
  const member = `/v1/rooms/${room}/members/${ada.id}`;
  const wire = await stage.wire(ada.tokens.access_token, 1);
  const bens = await stage.wire(owner);
  await Promise.all([wire.subscribe(room), bens.subscribe(room)]);
  const refusedOp = newId();

  let startedAt = performance.now();
  await stage.step('role.detect', async () => {
    const call = { method: 'PATCH', token: owner, body: { role: 'viewer' } };
    mustBeEffective(good(await transport.call(member, call), 'demote')['receipt']);
    return ms(performance.now() - startedAt);
  });
  await stage.step('role.stop', async () => {
    const answer = await wire.publish(room, 'refused', refusedOp);
    must(wordOf(answer) === 'error read_only', `a publish was answered ${wordOf(answer)}`);
  });
  await stage.step('role.notify', async () => {
    const told = await wire.next('access', ({ role }) => role === 'viewer');
    must(!told.can.includes('publish'), 'the told rights still include publish');
    return ms(told.arrivedAt - startedAt);
  });
  startedAt = performance.now();
  await stage.step('member.detect', async () => {
    const call = { method: 'DELETE', token: owner };
    mustBeEffective(good(await transport.call(member, call), 'remove'));
    return ms(performance.now() - startedAt);
  });
  await stage.step('member.stop', async () => {
    const before = counted([wire]);
    const seq = await world.publish(room, owner, 'after');
    await bens.next('message', (frame) => frame.seq === seq);
    await mustHearNothing([wire], before);
  });
  await stage.step('member.notify', async () => {
    const told = await wire.next('unsubscribed');
    must(told.code === 'removed', `it was told ${told.code}`);
    await wire.settled();
    must(wire.ended === undefined, `the connection was closed: ${wire.lastWords()}`);
    return ms(told.arrivedAt - startedAt);
  });
  await stage.step('effect', async () => {
    mustBeStored(await world.history(room, owner), [refusedOp], 0);
  });
}

async function inTenant(stage: Stage<keyof typeof steps>): Promise<void> {
  const { transport } = stage;
  const closing = await stage.world.another();
  const ada = await closing.newcomer('ada');
  const { access_token: token } = ada.tokens;
  const wires = [await stage.wire(token), await stage.wire(token, 1)];

  const startedAt = performance.now();
  await stage.step('tenant.detect', async () => {
    const call = { method: 'PATCH', body: { state: 'disabled' } };
    const answer = await closing.asOperator(`/v1/admin/tenants/${closing.tenant.id}`, call);
    mustBeEffective(good(answer, 'disable the tenant')['receipt']);
    return ms(performance.now() - startedAt);
  });
  await stage.step('tenant.stop', async () => {
    for (const node of transport.nodes.keys())
      mustRefuse(await transport.call('/v1/me', { token, node }), 'tenant_disabled', 'stop');
  });
  await stage.step('tenant.notify', async () => {
    const ends = await Promise.all(
      wires.map((wire) => mustBeTold(wire, 'tenant_disabled', 'stop', 4003)),
    );
    return ms(Math.max(...ends.map(({ at }) => at)) - startedAt);
  });
  await stage.step('tenant.refresh', async () => {
    mustRefuse(await closing.refresh(ada.tokens, 1), 'tenant_disabled', 'stop');
  });
  await stage.step('tenant.reconnect', async () => {
    const again = stage.keep(await transport.open(1));
    await again.authenticate(token);
    await mustBeTold(again, 'tenant_disabled', 'stop', 4003);
    const { tenant, email, password } = ada;
    const login = await transport.call('/v1/auth/login', { body: { tenant, email, password } });
    mustRefuse(login, 'tenant_disabled', 'stop');
  });
}
