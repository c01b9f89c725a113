/**
 * Contract section 3: a key signs only after every node knows it, and rotation refuses no valid
 * token. Two real nodes under load.
 */
import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { WardroomClient } from '@wardroom/client';
import type { Cluster } from '../support/node-process.js';
import { startCluster } from '../support/node-process.js';
import { kidOf, listKeys, runKeys } from '../support/keys-cli.js';
import { World, call, unique } from '../support/world.js';

const USERS = 8;

interface Member {
  client: WardroomClient;
  received: Set<string>;
}

/** Everything that went wrong, for one assertion at the end. */
const trouble: string[] = [];
const kids = new Set<string>();

async function member(base: string, tenant: string, room: string): Promise<Member> {
  const email = `${unique('u')}@example.com`;
  const password = 'a long enough password';
  await call(base, '/v1/auth/register', { body: { tenant, email, password } });
  const client = new WardroomClient({
    url: base,
    webSocket: WebSocket as never,
    backoffBaseMs: 50,
  });
  client.on('waiting', ({ why }) => trouble.push(`socket lost: ${why.code}`));
  client.on('signed_out', (why) => trouble.push(`signed out: ${why.code}`));
  client.on('error', (why) => trouble.push(`error: ${why.code}`));
  await client.login({ tenant, email, password });
  await client.connect();
  await client.rest(`/v1/rooms/${room}/join`, { method: 'POST', body: {} });
  const received = new Set<string>();
  client.room(room).on('message', (message) => received.add(message.body as string));
  await client.room(room).subscribe();
  return { client, received };
}

/** Publishes over the socket and presents the newest token to every node, until told to stop. */
async function work(
  cluster: Cluster,
  { client }: Member,
  room: string,
  published: string[],
  running: () => boolean,
): Promise<void> {
  while (running()) {
    const body = unique('m');
    await client
      .room(room)
      .publish(body)
      .then(
        () => published.push(body),
        (error: Error) => trouble.push(`publish: ${error.message}`),
      );
    const token = await client.session!.accessToken();
    kids.add(kidOf(token));
    for (const { url } of cluster.nodes) {
      const { status, body: answer } = await call(url, '/v1/me', { token }).catch(
        (error: Error) => ({ status: 0, body: { code: error.message } }),
      );
      if (status !== 200) trouble.push(`/v1/me: ${status} ${answer.code}`);
    }
    await sleep(60);
  }
}

test('rotation under load on two nodes refuses no valid token, closes no socket and loses no message', async () => {
  const cluster = await startCluster(2, {
    AUTHORITY_LEASE_MS: '1000',
    KEY_ANNOUNCE_SECONDS: '8',
    ACCESS_TTL_SECONDS: '6',
    LOGIN_FAILURES_PER_MINUTE: '0',
  });
  const bases = cluster.nodes.map((node) => node.url);
  const world = await World.create({ base: bases[0]!, tenant: { allow_registration: true } });
  const { body: owner } = await call(bases[0]!, '/v1/auth/register', {
    body: {
      tenant: world.tenant.slug,
      email: `${unique('o')}@example.com`,
      password: 'a long enough password',
    },
  });
  const { body: room } = await call(bases[0]!, '/v1/rooms', {
    token: owner.access_token,
    body: { name: 'load', visibility: 'public' },
  });
  const members = await Promise.all(
    Array.from({ length: USERS }, (_, i) => member(bases[i % 2]!, world.tenant.slug, room.id)),
  );
  const published: string[] = [];
  let running = true;
  const load = members.map((one) => work(cluster, one, room.id, published, () => running));
  try {
    const [first] = await listKeys(cluster.databaseUrl);
    const rotated = await runKeys(cluster.env, 'rotate');
    expect(rotated).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Every node (2) knows.'),
    });
    const [, second] = await listKeys(cluster.databaseUrl);
    expect(second!.state).toBe('announced');
    for (const base of bases) {
      const { body } = await call(base, '/.well-known/jwks.json');
      expect(body.keys.map(({ kid }: { kid: string }) => kid).sort()).toEqual(
        [first!.kid, second!.kid].sort(),
      );
    }
    expect([...kids]).toEqual([first!.kid]);
    while (!(await everySigns(members, second!.kid))) await sleep(100);
    expect([...kids]).toEqual([first!.kid, second!.kid]);
    expect((await listKeys(cluster.databaseUrl)).map(({ state }) => state)).toEqual([
      'verifying',
      'signing',
    ]);
    running = false;
    await Promise.all(load);
    expect(trouble).toEqual([]);
    expect(published.length).toBeGreaterThan(USERS * 20);
    const deadline = Date.now() + 8_000;
    while (
      Date.now() < deadline &&
      members.some(({ received }) => received.size < published.length)
    )
      await sleep(50);
    expect(members.map(({ received }) => received.size)).toEqual(
      members.map(() => published.length),
    );
  } finally {
    running = false;
    await Promise.all(load);
    for (const { client } of members) client.close();
  }
}, 90_000);

async function everySigns(members: Member[], kid: string): Promise<boolean> {
  const tokens = await Promise.all(members.map(({ client }) => client.session!.accessToken()));
  return tokens.every((token) => kidOf(token) === kid);
}
