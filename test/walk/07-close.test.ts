/** CLOSE: every end says why and what to do next; a restart loses nothing that was acknowledged. */
import { describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { startCluster } from '../support/node-process.js';
import { collect, connected } from '../support/sdk-client.js';
import { World, call, wsUrl } from '../support/world.js';

describe('close', () => {
  test('a node that is told to stop sends goodbye and 1012 with a spread retry, is not ready, and exits 0', async () => {
    const { nodes } = await startCluster(1);
    const node = nodes[0]!;
    const world = await World.create({ base: node.url });
    const user = await world.user('ada');
    const client = await RawClient.live(wsUrl(node.url), user.token);
    const stopped = node.stop();
    const closed = await client.closed;
    expect(closed.code).toBe(1012);
    expect(closed.reason).toMatchObject({
      code: 'restarting',
      action: 'reconnect',
      retry_after_ms: expect.any(Number),
    });
    expect(client.of('goodbye')[0]).toMatchObject({ code: 'restarting', action: 'reconnect' });
    await stopped;
  });

  test('a restart of either node loses nothing acknowledged, and subscribers recover every event in order', async () => {
    const cluster = await startCluster(2);
    const [a, b] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
    const world = await World.create({ base: a.url });
    const [ada, ben] = [await world.user('ada'), await world.user('ben')];
    const room = await world.room(ada, {}, [[ben, 'member']]);
    // Ben's client knows both nodes, as a load balancer would.
    let url = b.url;
    const reader = await connected(b.url, ben);
    const seen = collect<{ seq: number; body: unknown }>((listener) =>
      reader.room(room).on('message', listener as never),
    );
    await reader.room(room).subscribe();
    const writer = await connected(a.url, ada);
    const acked: unknown[] = [];
    const publish = async (body: string) => {
      await writer.room(room).publish(body);
      acked.push(body);
    };
    for (let i = 0; i < 10; i += 1) await publish(`before-${i}`);
    await seen.until(10);
    b.kill('SIGKILL');
    for (let i = 0; i < 10; i += 1) await publish(`while-${i}`);
    url = a.url;
    const again = await connected(url, ben);
    const rest = collect<{ seq: number; body: unknown }>((listener) =>
      again.room(room).on('message', listener as never),
    );
    await again.room(room).subscribe({ since: seen.items.at(-1)!.seq });
    for (let i = 0; i < 10; i += 1) await publish(`after-${i}`);
    const all = [...seen.items, ...(await rest.until(20))];
    expect(all.map((event) => event.body)).toEqual(acked);
    expect(all.map((event) => event.seq)).toEqual(acked.map((_, i) => i + 1));
    const { body: page } = await call(a.url, `/v1/rooms/${room}/messages?limit=50`, {
      token: ben.token,
    });
    expect(page.items.map((item: { body: unknown }) => item.body).reverse()).toEqual(acked);
  });
});
