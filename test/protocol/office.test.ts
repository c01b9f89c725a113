/**
 * An office: many people behind one address, all back at once after a restart, under the caps as
 * they come.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectRefused, open, within } from './harness.js';
import type { RawClient } from '../support/raw-client.js';

const PEOPLE = 300;
/** MAX_UNAUTHENTICATED_PER_IP by default. */
const PLACES = 50;
let node: NodeProcess;
let ada: SignedIn;

beforeAll(async () => {
  const cluster = await startCluster(1);
  ada = await (await World.create({ base: cluster.nodes[0]!.url })).user('ada');
  await cluster.nodes[0]!.stop();
  node = await startNode(cluster.env);
});

const byMessage = async (): Promise<RawClient> => {
  const client = await open(`${node.wsUrl}?auth=message`);
  await client.ask({ type: 'auth', token: ada.token });
  return client;
};
const bySubprotocol = async (): Promise<RawClient> => {
  const client = await open(node.wsUrl, { protocols: ['wardroom.v1', `bearer.${ada.token}`] });
  await client.next('auth_ok');
  return client;
};
const byHeader = async (): Promise<RawClient> => {
  const client = await open(node.wsUrl, { token: ada.token });
  await client.next('auth_ok');
  return client;
};
const byTicket = async (): Promise<RawClient> => {
  const { body } = await call(node.url, '/v1/auth/ticket', { token: ada.token, method: 'POST' });
  const client = await open(`${node.wsUrl}?ticket=${body.ticket}`);
  await client.next('auth_ok');
  return client;
};

describe(`${PEOPLE} sessions behind one address, back at once after a restart, are all let in`, () => {
  test.each([
    ['with the token in the first message, as the SDK does', byMessage],
    ['with the token in the subprotocol', bySubprotocol],
    ['with the token in the header', byHeader],
  ])('%s', async (_, connect) => {
    const clients = await within(
      Promise.all(Array.from({ length: PEOPLE }, connect)),
      'everybody back',
      8_000,
    );
    await Promise.all(clients.map((client) => client.settled()));
    for (const client of clients) client.close();
    await Promise.all(clients.map(({ closed }) => closed));
  });
});

test('strangers who hold all places of an address keep nobody out who shows a credential at once, and are told to come later themselves', async () => {
  const silent = await Promise.all(Array.from({ length: PLACES }, () => open(node.wsUrl)));
  await Promise.all([byHeader(), bySubprotocol(), byTicket()]);
  const late = open(node.wsUrl);
  const first = open(node.wsUrl);
  // A place that becomes free is given to who has waited longest; the other waits for another.
  await silent[0]!.ask({ type: 'auth', token: ada.token });
  const [one, other] = await Promise.allSettled([late, first]);
  expect([one.status, other.status].sort()).toEqual(['fulfilled', 'rejected']);
  await expectRefused(
    (one.status === 'rejected' ? late : first) as Promise<unknown>,
    'too_many_connections',
  );
});
