/**
 * Thousands of handshakes and subscriptions on two nodes race the end of their session, and a
 * removal: however they interleave, nobody is left over when the receipt is effective, and whoever
 * comes later is refused.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { readAll } from './history.js';

const full = process.env['FAULTS'] === 'full';
const HANDSHAKES = full ? 10_000 : 2_000;
const AT_ONCE = 100;

describe('a race', () => {
  let cluster: Cluster;
  let world: World;
  let owner: SignedIn;

  beforeAll(async () => {
    cluster = await startCluster(2, {
      MAX_CONNECTIONS_PER_IP: '0',
      MAX_UNAUTHENTICATED_PER_IP: '0',
      FRAME_RATE: '0',
      PUBLISH_RATE: '0',
      SIGNAL_RATE: '0',
      SUBSCRIBE_RATE: '0',
      CALL_RATE: '0',
    });
    world = await World.create({ base: cluster.nodes[0]!.url });
    owner = await world.user('owner');
  }, 60_000);

  const wsUrl = (i: number) => cluster.nodes[i % cluster.nodes.length]!.wsUrl;

  test(`of ${HANDSHAKES} handshakes against a logout leaves no survivor`, async () => {
    const ben = await world.user('ben');
    const room = await world.room(owner, {}, [[ben, 'member']]);
    const writer = await RawClient.live(wsUrl(0), owner.token);
    const open: RawClient[] = [];
    let refused = 0;
    let started = 0;
    let receipt: any = null;
    let doneMs = Infinity;
    const enter = async () => {
      while (started < HANDSHAKES) {
        const invokedMs = performance.now();
        started += 1;
        try {
          const client = await RawClient.open(wsUrl(started), { token: ben.token });
          client.send({ type: 'subscribe', room });
          open.push(client);
          expect(invokedMs).toBeLessThan(doneMs);
        } catch (error) {
          // 401, or after many of them 429 `auth_loop`.
          if (![401, 429].includes((error as { status?: number }).status ?? 0)) throw error;
          refused += 1;
        }
      }
    };
    const revoke = async () => {
      while (started < HANDSHAKES / 2) await new Promise((resolve) => setImmediate(resolve));
      receipt = (
        await call(cluster.nodes[0]!.url, '/v1/auth/logout', { method: 'POST', token: ben.token })
      ).body;
      doneMs = await readAll();
    };
    await Promise.all([...Array.from({ length: AT_ONCE }, enter), revoke()]);
    expect(receipt).toMatchObject({ effective: true, sessions: 1 });
    const marks = open.map((client) => client.frames.length);
    await writer.publish(room, 'after');
    await writer.ask({ type: 'signal', room, kind: 'k', body: 'after' });
    for (const client of open)
      expect((await client.closed).reason).toMatchObject({
        code: 'session_revoked',
        action: 'login',
      });
    expect(
      open.flatMap((client, i) =>
        client.frames
          .slice(marks[i])
          .filter((frame) => frame.type === 'message' || frame.type === 'signal'),
      ),
    ).toEqual([]);
    expect(open.length).toBeGreaterThan(HANDSHAKES / 4);
    expect(refused).toBeGreaterThan(0);
    console.log(
      `${open.length} handshakes won, all closed; ${refused} were refused; receipt after ${receipt.ms} ms for ${receipt.connections_closed} connections`,
    );
    writer.close();
  }, 120_000);

  test(`of ${HANDSHAKES} subscriptions against a removal leaves no subscriber`, async () => {
    const cleo = await world.user('cleo');
    const room = await world.room(owner, {}, [[cleo, 'member']]);
    const writer = await RawClient.live(wsUrl(1), owner.token);
    await writer.subscribe(room);
    const clients = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => RawClient.live(wsUrl(i), cleo.token)),
    );
    let asked = 0;
    let receipt: any = null;
    let effective = false;
    const late: string[] = [];
    const outcomes = new Map<string, number>();
    const subscribe = async (client: RawClient) => {
      while (asked < HANDSHAKES || late.length < AT_ONCE) {
        asked += 1;
        const invokedAfter = effective;
        const { type, code } = await client.subscribe(room);
        const outcome = type === 'error' ? (code as string) : (type as string);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (invokedAfter) late.push(outcome);
      }
    };
    const chatter = async () => {
      for (let i = 0; receipt === null; i += 1) await writer.publish(room, i);
    };
    const remove = async () => {
      while (asked < HANDSHAKES / 2) await new Promise((resolve) => setImmediate(resolve));
      receipt = (
        await call(cluster.nodes[0]!.url, `/v1/rooms/${room}/members/${cleo.id}`, {
          method: 'DELETE',
          token: owner.token,
        })
      ).body;
      await readAll();
      effective = true;
    };
    await Promise.all([...clients.map(subscribe), chatter(), remove()]);
    expect(receipt).toMatchObject({ effective: true });
    const marks = clients.map((client) => client.frames.length);
    await writer.publish(room, 'after');
    await writer.ask({ type: 'signal', room, kind: 'k', body: 'after' });
    await Promise.all(clients.map((client) => client.settled()));
    expect(
      clients.flatMap((client, i) =>
        client.frames
          .slice(marks[i])
          .filter((frame) => frame.type !== 'pong' && frame.type !== 'unsubscribed'),
      ),
    ).toEqual([]);
    expect(new Set(late)).toEqual(new Set(['not_found']));
    expect(outcomes.get('subscribed')).toBeGreaterThan(0);
    for (const client of [...clients, writer]) client.close();
  }, 120_000);
});
