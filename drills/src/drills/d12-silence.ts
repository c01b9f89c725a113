/**
 * Credentials come back nowhere. The drill puts them where they do not belong, and then looks
 * through everything that the server said in the whole run.
 */
import { newId } from '../../../sdk/src/new-id.js';
import { drill } from '../drill.js';
import { mustBeTold } from '../judge.js';
import { must } from '../must.js';
import { step } from '../steps.js';
import type { Answer, Call } from '../wire/transport.js';
import { wordOf } from '../wire/wire.js';
import { actionOf, codeOf, good } from '../world.js';

export const silence = drill({
  id: 'D12',
  name: 'credentials are nowhere in what the server answered',
  alone: true,
  steps: {
    detect: step('detect', 'A credential in a wrong place is refused.'),
    stop: step('stop', 'A ticket opens one connection.'),
    notify: step('notify', 'Every refusal says a code and an action.'),
    refresh: step('refresh', 'Answers that carry tokens are not to be stored.'),
    reconnect: step('reconnect', 'The reason of a close is not sent back.'),
    effect: step('effect', 'No token, ticket or password is in any answer, frame or close.'),
  },
  async run(stage) {
    const { world, transport, heard } = stage;
    const ada = await world.newcomer('ada');
    const room = await world.room(ada);
    const { access_token: token, refresh_token: refresh } = ada.tokens;
    const { tenant, email, password } = ada;
    const wrong = `pw-${newId()}${newId()}`;
    heard.keep('password', wrong);
    const misplaced: [string, Call][] = [
      ['/v1/auth/login', { body: { tenant, email, password: wrong } }],
      ['/v1/auth/login', { body: { tenant, email, password, [`x-${token}`]: 1 } }],
      ['/v1/auth/refresh', { body: { refresh_token: `${refresh.slice(0, -4)}AAAA` } }],
      ['/v1/auth/refresh', { body: { refresh_token: token } }],
      ['/v1/me', { headers: { authorization: token } }],
      ['/v1/me', { headers: { authorization: `Bearer ${refresh}` } }],
      [`/v1/rooms/${token}`, { token }],
      [`/v1/rooms?cursor=${refresh}`, { token }],
      [`/v1/${refresh}`, { token }],
      ['/v1/rooms', { token, body: { name: 'x', visibility: token } }],
    ];
    const answers: Answer[] = [];

    await stage.step('detect', async () => {
      for (const [path, call] of misplaced) {
        const answer = await transport.call(path, call);
        const place = path.split('/').slice(0, 4).join('/').slice(0, 20);
        must(answer.status >= 400 && answer.status < 500, `${place} answered ${answer.status}`);
        answers.push(answer);
      }
      const wire = await stage.wire(token);
      for (const frame of [
        { type: 'subscribe', room: token },
        { type: 'subscribe', room, [token]: 1 },
        { type: refresh },
        { type: 'publish', room, op_id: password.slice(0, 64), body: 1, token },
      ]) {
        wire.send({ ...frame, id: newId() });
      }
      const errors = () => wire.of('error').length;
      await wire.next('error', () => errors() >= 4);
      must(wordOf(wire.of('error')[0]!) === 'error invalid_frame', 'a frame was understood');
    });
    await stage.step('stop', async () => {
      const issued = await transport.call('/v1/auth/ticket', { token, body: {} });
      const ticket = String(good(issued, 'get a ticket')['ticket']);
      heard.keep('ticket', ticket);
      const first = stage.keep(await transport.open(1, `?ticket=${ticket}`));
      await first.next('auth_ok');
      const second = stage.keep(await transport.open(1, `?ticket=${ticket}`));
      await mustBeTold(second, 'auth_invalid', 'login', 1008);
    });
    await stage.step('notify', () => {
      for (const answer of answers) {
        must(codeOf(answer) !== '', `an answer ${answer.status} has no code`);
        must(actionOf(answer) !== '', `${codeOf(answer)} has no action`);
      }
    });
    await stage.step('refresh', async () => {
      const answer = await world.refresh(ada.tokens);
      good(answer, 'refresh');
      const stored = answer.headers.get('cache-control') ?? 'nothing';
      must(stored.includes('no-store'), `cache-control says ${stored}`);
    });
    await stage.step('reconnect', async () => {
      const wire = await stage.wire(token);
      wire.socket.close(3000, token.slice(0, 120));
      await wire.end();
    });
    await stage.step('effect', () => {
      const [finding] = heard.findings();
      must(finding === undefined, `${finding?.secret} is in ${finding?.where}`);
    });
  },
});
