/**
 * A burst of calls from one address. A frame and a call of another user are answered in their turn,
 * not after the burst: seen in the order of the answers, not in time.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { live } from '../protocol/harness.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const BURST = 200;
/** Of the burst, while something else is answered. All of it without turns. */
const BEFORE_MAX = BURST / 2;
/** All of 127.0.0.0/8 are this machine. */
const BUSY = '127.0.0.9';
let node: NodeProcess;
let ada: SignedIn;
let bea: SignedIn;
let room: string;

beforeAll(async () => {
  node = await startNode({ CALL_RATE: '0' });
  const world = await World.create({ base: node.url });
  [ada, bea] = (await world.users('ada', 'bea')) as [SignedIn, SignedIn];
  room = await world.room(ada);
});

interface Burst {
  answered: () => number;
  over: Promise<unknown>;
}

/** Calls on connections that are there already. Resolves when the first of them is answered. */
async function burst(count: number): Promise<Burst> {
  const agent = new Agent({ keepAlive: true, maxSockets: count, localAddress: BUSY });
  const headers = { authorization: `Bearer ${bea.token}` };
  const ask = (): ClientRequest => request(`${node.url}/v1/me`, { headers, agent }).end();
  const all = (): Promise<unknown>[] =>
    Array.from({ length: count }, async () => {
      const [answer] = await once(ask(), 'response');
      await once(answer.resume(), 'end');
      answered += 1;
    });
  let answered = 0;
  await Promise.all(all());
  answered = 0;
  const calls = all();
  const over = Promise.all(calls).finally(() => agent.destroy());
  await Promise.race(calls);
  return { answered: () => answered, over };
}

describe('beside two hundred calls that one address makes at once', () => {
  test('a frame of another is answered in its turn', async () => {
    const client = await live(node.wsUrl, ada.token);
    // The first one prepares statements.
    await client.publish(room, 'hello');
    const { answered, over } = await burst(BURST);
    const answer = await client.publish(room, 'hello');
    const before = answered();
    expect(answer.type).toBe('ack');
    expect(before).toBeLessThan(BEFORE_MAX);
    await over;
    expect(answered()).toBe(BURST);
  });

  test('a call of another is answered in its turn', async () => {
    const { answered, over } = await burst(BURST);
    const headers = { authorization: `Bearer ${ada.token}` };
    const [answer] = await once(request(`${node.url}/v1/me`, { headers }).end(), 'response');
    const before = answered();
    expect(answer.resume().statusCode).toBe(200);
    expect(before).toBeLessThan(BEFORE_MAX);
    await over;
  });
});
