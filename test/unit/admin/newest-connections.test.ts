/** Lists of nodes, merged into one page of live connections. */
import { expect, test } from '@jest/globals';
import { newestOf } from '../../../src/admin/live/connections.js';
import type { LiveConnection } from '../../../src/gateway/live/live-connection.js';

const row = (id: string, tenant: string | null): LiveConnection => ({
  id,
  tenant,
  close_id: id,
  session: null,
  user: null,
  ip: '127.0.0.1',
  user_agent: null,
  carrier: 'header',
  opened_at: '2026-01-01T00:00:00.000Z',
  token_expires_in_ms: null,
  renewals: 0,
  rooms: 0,
  queue_bytes: 0,
});
/** The second node is of a version that does not know the filter `tenant`. */
const answers = () =>
  new Map([
    ['a', [row('9', 'mine'), row('5', 'mine')]],
    ['b', [row('8', 'other'), row('7', null), row('6', 'mine'), row('4', 'other')]],
  ]);
const idsOf = ({ shown }: ReturnType<typeof newestOf>) => shown.map(({ item }) => item.id);

test('a page of a tenant has nothing of others that a node listed, too', () => {
  const page = newestOf(answers(), 10, 10, 'mine');
  expect(idsOf(page)).toEqual(['9', '6', '5']);
  expect(page.edge).toBeNull();
});

test('a page goes on behind what was looked at, though little of it was shown', () => {
  const page = newestOf(answers(), 10, 4, 'mine');
  expect(idsOf(page)).toEqual(['9', '6', '5']);
  expect(page.edge).toBe('4');
});

test('a page of all tenants has everything, newest first', () => {
  const page = newestOf(answers(), 10, 10, null);
  expect(idsOf(page)).toEqual(['9', '8', '7', '6', '5', '4']);
});
