/** A subscriber stops reading while the room goes on. */
import { newId } from '../../../sdk/src/new-id.js';
import { ms } from '../bounds.js';
import type { Measured } from '../bounds.js';
import { drill } from '../drill.js';
import { mustBeGapless, pause } from '../judge.js';
import { must, Skip } from '../must.js';
import { step } from '../steps.js';
import type { Wire } from '../wire/wire.js';
import { good } from '../world.js';

const BODY = 'x'.repeat(30_000);
const BYTES_MAX = 32 * 1024 * 1024;
/** More are not replayed after one `since`. */
const MESSAGES_MAX = 950;
/** Rates belong to people: so many write. */
const WRITERS = 6;

/** A socket that can be left unread: that of `ws`, not that of a browser. */
interface Pausable {
  pause?(): void;
  resume?(): void;
}

export const slowReader = drill({
  id: 'D11',
  name: 'a slow reader',
  alone: true,
  steps: {
    detect: step('detect', 'The node lets go of a reader whose queue is full.', 'bytes'),
    stop: step('stop', 'Nobody else waits for it: another reader has everything.', 'repair'),
    notify: step('notify', 'The reader finds its connection closed, as one to open again.'),
    refresh: step('refresh', 'Its session and its token stay good.'),
    reconnect: step('reconnect', 'It is back, and gets what it missed.', 'retry'),
    effect: step('effect', 'No event came twice, and none is left out.'),
  },
  async run(stage) {
    const { world, transport } = stage;
    const [ada, ben] = await world.pair('ada', 'ben');
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => world.newcomer('w')));
    const room = await world.room(ben, ada, ...writers);
    const slow = await stage.wire(ada.tokens.access_token, 1);
    const { seq: start, epoch } = await slow.subscribe(room);
    const socket = slow.socket as Pausable;
    if (socket.pause === undefined || socket.resume === undefined)
      throw new Skip('a WebSocket of this runtime cannot be left unread');
    const bens = await stage.wire(ben.tokens.access_token, 1);
    await bens.subscribe(room);
    const wires: Wire[] = [];
    for (const { tokens } of writers) wires.push(await stage.wire(tokens.access_token));
    const isGone = () =>
      bens.of('presence').some(({ left, users }) => {
        return left?.includes(ada.id) === true || (users !== undefined && !users.includes(ada.id));
      });
    await bens.next('presence', (frame) => frame.type === 'presence');
    socket.pause();

    let published = 0;
    let end = 0;
    await stage.step('detect', async (): Promise<Measured> => {
      const write = async (wire: Wire): Promise<void> => {
        while (!isGone() && published < MESSAGES_MAX && published * BODY.length < BYTES_MAX) {
          published += 1;
          const ack = await wire.publish(room, BODY, newId());
          if (ack.type === 'ack') end = Math.max(end, ack.seq ?? 0);
          else {
            published -= 1;
            must(ack.type === 'error' && ack.action === 'retry', `a publish was refused`);
            await pause((ack.type === 'error' && ack.retry_after_ms) || 50);
          }
        }
      };
      try {
        await Promise.all(wires.map(write));
        await bens.next('presence', isGone, { within: 3_000 });
      } catch {
        throw new Error(`the reader was kept while ${published} messages waited for it`);
      } finally {
        socket.resume!();
      }
      return { value: published * BODY.length, unit: 'bytes' };
    });
    await stage.step('stop', async () => {
      const askedAt = performance.now();
      await bens.next('message', ({ seq }) => seq === end);
      const heardAt = performance.now();
      mustBeGapless(
        bens.of('message').map(({ seq }) => seq),
        start + 1,
        end,
      );
      return ms(heardAt - askedAt);
    });
    await stage.step('notify', async () => {
      const { status, reason } = await slow.end();
      const told = status === 1013 && reason.code === 'slow_consumer';
      must(told || status === 1006, `it was closed with ${slow.lastWords()}`);
      must(!told || reason.action === 'reconnect', `the action is ${reason.action}`);
    });
    await stage.step('refresh', async () => {
      good(await transport.call('/v1/me', { token: ada.tokens.access_token, node: 1 }), 'call');
    });
    const seen = slow.of('message').map(({ seq }) => seq);
    const back = await stage.wire(ada.tokens.access_token);
    await stage.step('reconnect', async () => {
      const askedAt = performance.now();
      const subscribed = await back.subscribe(room, { since: seen.at(-1) ?? start, epoch });
      must(subscribed.recovered, 'it does not say recovered');
      const last = await back.next('message', ({ seq }) => seq === end);
      return ms(last.arrivedAt - askedAt);
    });
    await stage.step('effect', () => {
      mustBeGapless([...seen, ...back.of('message').map(({ seq }) => seq)], start + 1, end);
    });
  },
});
