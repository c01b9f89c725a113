/**
 * Connections to Redis that live and are of no use: to a server that became a replica, and
 * subscribers that hear nothing.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { startCluster } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';
import { FaultRedis, REDIS } from './stores.js';
import { TcpProxy } from './tcp-proxy.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const errors = async ({ internalUrl }: NodeProcess, kind: string): Promise<number> => {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return Number(
    new RegExp(`^wardroom_redis_errors_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(text)?.[1] ??
      0,
  );
};

async function within<T>(
  ms: number,
  what: string,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  for (const deadline = performance.now() + ms; ;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * In front of a Redis; on command connections that are there lose all pub/sub messages, and nothing
 * else.
 */
async function messageEater(
  url: string,
): Promise<{ url: string; eat: () => void; eaten: () => number; stop: () => void }> {
  const target = new URL(url);
  const links = new Set<{ client: Socket; eats: boolean }>();
  let eaten = 0;
  const server = createServer((client) => {
    const store = connect(Number(target.port), target.hostname);
    const link = { client, eats: false };
    links.add(link);
    client.pipe(store);
    store.on('data', (chunk) => {
      // A push of RESP3 begins so; an answer to a PING that shares its chunk, before or after it,
      // is lost with it, the next one is not.
      if (link.eats && /(?:^|\r\n)>\d\r\n\$\d\r\ns?message\r\n/.test(chunk.toString('latin1')))
        eaten += 1;
      else client.write(chunk);
    });
    for (const socket of [client, store]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        links.delete(link);
        client.destroy();
        store.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = Object.assign(new URL(url), {
    port: String((server.address() as AddressInfo).port),
  });
  return {
    url: through.href,
    eat: () => {
      for (const link of links) link.eats = true;
    },
    eaten: () => eaten,
    stop: () => {
      server.close();
      for (const { client } of links) client.destroy();
    },
  };
}

describeWith(REDIS, 'Redis that is elsewhere')('Redis that is elsewhere', () => {
  test('a server that became a replica while its connections lived: within seconds nodes use the other one, and tickets work', async () => {
    const [first, second] = [await FaultRedis.start(), await FaultRedis.start()];
    ends.push(
      () => first.stop(),
      () => second.stop(),
    );
    const way = await TcpProxy.before(first.url);
    ends.push(() => way.stop());
    const cluster = await startCluster(2, { REDIS_URL: way.urlThrough(first.url) });
    ends.push(() => cluster.stop());
    const [a, b] = cluster.nodes as [NodeProcess, NodeProcess];
    const world = await World.create({ base: a.url });
    const user = await world.user('u');
    const room = await world.room(user);
    way.retarget(second.url);
    const { hostname, port, password } = new URL(second.url);
    await first.run('CONFIG', 'SET', 'masterauth', password);
    await first.run('REPLICAOF', hostname, port);

    const ticket = await within(5_000, 'a ticket', async () => {
      const { status, body } = await fetch(`${a.url}/v1/auth/ticket`, {
        method: 'POST',
        headers: { authorization: `Bearer ${user.token}` },
      }).then(async (answer) => ({
        status: answer.status,
        body: (await answer.json()) as { ticket: string },
      }));
      return status === 200 && body.ticket;
    });
    const client = await within(5_000, 'a connection on the other node', async () => {
      const one = await RawClient.open(`${wsUrl(b.url)}?ticket=${ticket}`);
      const frame = await Promise.race([one.next('auth_ok'), one.closed.then(() => undefined)]);
      return frame === undefined ? undefined : one;
    }).catch(async () => RawClient.live(b.wsUrl, user.token));
    expect(await errors(a, 'READONLY')).toBeGreaterThan(0);
    // Subscribers and readers moved too: what is said on one node is heard on the other.
    await client.subscribe(room);
    const speaker = await RawClient.live(a.wsUrl, user.token);
    await speaker.subscribe(room);
    let said = 0;
    await within(8_000, 'a signal over the new server', async () => {
      speaker.send({ type: 'signal', room, kind: 'k', body: (said += 1) });
      return client.frames.some(({ type }) => type === 'signal');
    });
    const details = (await (await fetch(`${a.internalUrl}/readyz`)).json()).details.redis;
    expect(details).toMatchObject({
      status: 'up',
      connected: true,
      recent_error: expect.stringMatching(/READONLY|UNBLOCKED|connection|deaf|ERR/),
    });
    expect(a.logs()).toMatch(/"kind":"READONLY"/);
  }, 60_000);

  test('a subscriber whose messages are swallowed is found and connects again within seconds, though its socket answers', async () => {
    const redis = await FaultRedis.start();
    ends.push(() => redis.stop());
    const eater = await messageEater(redis.url);
    ends.push(() => eater.stop());
    const cluster = await startCluster(2, { REDIS_URL: eater.url });
    ends.push(() => cluster.stop());
    const [a, b] = cluster.nodes as [NodeProcess, NodeProcess];
    const world = await World.create({ base: a.url });
    const user = await world.user('u');
    const room = await world.room(user);
    const [speaker, listener] = [
      await RawClient.live(a.wsUrl, user.token),
      await RawClient.live(b.wsUrl, user.token),
    ];
    await speaker.subscribe(room);
    await listener.subscribe(room);
    eater.eat();
    const began = performance.now();
    let said = 0;
    await within(10_000, 'a signal after the subscriber was found deaf', async () => {
      speaker.send({ type: 'signal', room, kind: 'k', body: (said += 1) });
      return listener.frames.some(({ type }) => type === 'signal');
    });
    expect(eater.eaten()).toBeGreaterThan(0);
    // 3 s until it is found, and the way back.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await errors(a, 'deaf')) + (await errors(b, 'deaf'))).toBeGreaterThan(0);
    for (const { internalUrl } of cluster.nodes)
      expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200);
  }, 60_000);

  test('the rights that docs/operations.md gives are enough; with one less the error is counted, logged once, and the node serves', async () => {
    const redis = await FaultRedis.start();
    ends.push(() => redis.stop());
    const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [, rule] = /^ACL (SETUSER wardroom .*)$/m.exec(docs)!;
    await redis.run('ACL', ...rule!.split(' '));
    const url = Object.assign(new URL(redis.url), { username: 'wardroom', password: 'password' });
    const cluster = await startCluster(2, { REDIS_URL: url.href, SESSION_IDLE_SECONDS: '10' });
    ends.push(() => cluster.stop());
    const [a, b] = cluster.nodes as [NodeProcess, NodeProcess];
    const world = await World.create({ base: a.url });
    const [user, stranger] = await world.users('u', 's');
    const room = await world.room(user!);
    const { body } = await call(a.url, '/v1/auth/ticket', { method: 'POST', token: user!.token });
    const listener = await RawClient.open(`${wsUrl(b.url)}?ticket=${body.ticket}`);
    await listener.next('auth_ok');
    await listener.subscribe(room);
    const speaker = await RawClient.live(a.wsUrl, user!.token);
    await within(5_000, 'a signal', async () => {
      speaker.send({ type: 'signal', room, kind: 'k', body: 'x' });
      return listener.frames.some(({ type }) => type === 'signal');
    });
    const denied = await call(a.url, `/v1/rooms/${room}`, { token: stranger!.token, expect: 404 });
    expect(
      await call(b.url, `/v1/admin/decisions/${denied.body.decision_id}`, {
        token: world.operator(),
      }),
    ).toMatchObject({ status: 200 });
    await call(a.url, '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: user!.email, password: 'wrong-password' },
      expect: 401,
    });
    for (const node of cluster.nodes) expect(await errors(node, '\\w+')).toBe(0);

    await redis.run('ACL', 'SETUSER', 'wardroom', '-set');
    const ask = () =>
      fetch(`${a.url}/v1/auth/ticket`, {
        method: 'POST',
        headers: { authorization: `Bearer ${user!.token}` },
      });
    for (let i = 0; i < 3; i += 1) {
      const answer = await ask();
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        503,
        'unavailable',
      ]);
      await within(
        5_000,
        'the connection is back',
        async () =>
          (await (await fetch(`${a.internalUrl}/readyz`)).json()).details.redis.connected === true,
      );
    }
    expect(await errors(a, 'NOPERM')).toBeGreaterThan(0);
    const told = a.logs().split('\n');
    expect(told.filter((line) => line.includes('"kind":"NOPERM"'))).toHaveLength(1);
    await redis.run('ACL', 'SETUSER', 'wardroom', '+set');
    await within(5_000, 'tickets', async () => (await ask()).ok);
    expect(
      (await call(a.url, '/v1/auth/logout', { method: 'POST', token: user!.token })).body.effective,
    ).toBe(true);
  }, 60_000);
});
