/**
 * `GET /v1/admin/connections/{id}`: what happened to a connection, while it lives and after its
 * node has stopped (contract section 10).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, live } from '../protocol/harness.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import type { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';

let cluster: Cluster;
let here: NodeProcess;
let there: NodeProcess;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(2, {
    CALL_RATE: '0',
    ACCESS_TTL_SECONDS: '5',
    AUTH_WARNING_SECONDS: '2',
    AUTH_GRACE_SECONDS: '2',
  });
  [here, there] = cluster.nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: here.url });
});

const idOf = (client: RawClient): string => client.frames[0].connection_id;
/** Tokens of this cluster are short, the operator's too. */
const detail = async (id: string, base = here.url): Promise<any> => {
  const body = {
    tenant: 'system',
    email: process.env['TEST_OPERATOR_EMAIL'],
    password: process.env['TEST_OPERATOR_PASSWORD'],
  };
  const token = (await call(base, '/v1/auth/login', { body })).body.access_token;
  return (await call(base, `/v1/admin/connections/${id}`, { token })).body;
};
const eventsOf = ({ timeline }: any): string[] =>
  timeline.map(({ event }: { event: string }) => event);
const expOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).exp * 1000;

describe('a connection that lives', () => {
  test('shows subscribes, denials and renewals with the end of their token, from the other node', async () => {
    const ben = await world.user('ben');
    const room = await world.room(ben);
    const client = await live(there.wsUrl, ben.token);
    await client.subscribe(room);
    const denied = await client.ask({ type: 'subscribe', room: 'no-such-room' });
    const next = (
      await call(here.url, '/v1/auth/refresh', { body: { refresh_token: ben.refresh } })
    ).body.access_token;
    await client.ask({ type: 'auth_refresh', token: next });
    await client.ask({ type: 'unsubscribe', room });
    const view = await detail(idOf(client));
    expect(view).toMatchObject({ state: 'live', renewals: 1, omitted: 0, carrier: 'header' });
    expect(view.timeline).toMatchObject([
      { event: 'opened' },
      { event: 'authenticated' },
      { event: 'subscribed', room },
      { event: 'denied', code: 'not_found', count: 1, decision_id: denied.decision_id },
      { event: 'renewed' },
      { event: 'unsubscribed', room, code: 'client' },
    ]);
    expect(Date.parse(view.timeline[1].exp)).toBe(expOf(ben.token));
    expect(Date.parse(view.timeline[4].exp)).toBe(expOf(next));
    const times = view.timeline.map(({ at }: { at: string }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a: number, b: number) => a - b));
  });

  test('shows a removal that ended a subscription, and a renewal that was refused', async () => {
    const [ada, ben] = [await world.user('ada'), await world.user('ben')];
    const room = await world.room(ada, {}, [[ben, 'member']]);
    const client = await live(here.wsUrl, ben.token);
    await client.subscribe(room);
    await call(there.url, `/v1/rooms/${room}/members/${ben.id}`, {
      token: ada.token,
      method: 'DELETE',
    });
    await client.next('unsubscribed');
    await client.ask({ type: 'auth_refresh', token: 'x' });
    const view = await detail(idOf(client), there.url);
    expect(view.timeline.slice(2)).toMatchObject([
      { event: 'subscribed', room },
      { event: 'unsubscribed', room, code: 'removed' },
      { event: 'renewal_refused', code: 'auth_invalid' },
    ]);
  });
});

test('an end by expiry is told from warning to close, by any node, and after its node has stopped', async () => {
  const ben = await world.user('ben');
  const node = await startNode(cluster.env);
  const { token, session } = await world.login(ben, node.url);
  const client = await live(node.wsUrl, token);
  const id = idOf(client);
  expect((await client.closed).code).toBe(4001);
  await node.stop();
  const view = await eventually(
    () => detail(id, there.url).catch(() => null),
    (found) => found !== null,
    'the row of the end',
  );
  expect(view).toMatchObject({
    id,
    state: 'ended',
    session,
    user: { id: ben.id, email: ben.email },
    queue_bytes: null,
  });
  expect(eventsOf(view)).toEqual([
    'opened',
    'authenticated',
    'warned',
    'expired',
    'grace',
    'closed',
  ]);
  const [, , warned, expired, grace, closed] = view.timeline;
  expect(Date.parse(expired.at) - Date.parse(warned.at)).toBeGreaterThan(500);
  expect(Date.parse(grace.until) - Date.parse(expired.at)).toBeGreaterThanOrEqual(2_000);
  expect(closed).toMatchObject({ side: 'server', code: 'token_expired' });
});
