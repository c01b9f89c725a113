/** The order in which parts of a node learn of an authority event. */
import { expect, test } from '@jest/globals';
import { AuthorityDispatcher } from '../../../src/authority/authority-dispatcher.js';
import type { Phase } from '../../../src/authority/authority-dispatcher.js';

const PHASES: Phase[] = ['subscriptions', 'connections', 'caches'];

test('caches forget before connections end, and subscriptions come last, whoever registered first', () => {
  const dispatcher = new AuthorityDispatcher();
  const order: string[] = [];
  for (const phase of PHASES)
    dispatcher.register(phase, {
      event: () => (order.push(`event ${phase}`), 2),
      historyReplaced: () => void order.push(`replaced ${phase}`),
      reload: () => void order.push(`reload ${phase}`),
    });
  expect(dispatcher.event({ kind: 'key.added', kid: 'k' }, null)).toBe(6);
  dispatcher.historyReplaced({ from: 'a', to: 'b' });
  dispatcher.reload();
  expect(order).toEqual(
    ['event', 'replaced', 'reload'].flatMap((what) => [
      `${what} caches`,
      `${what} connections`,
      `${what} subscriptions`,
    ]),
  );
});

test('a listener that counts nothing closed no connection', () => {
  const dispatcher = new AuthorityDispatcher();
  dispatcher.register('caches', { event: () => undefined });
  dispatcher.register('caches', {});
  expect(dispatcher.event({ kind: 'key.added', kid: 'k' }, 1)).toBe(0);
});
