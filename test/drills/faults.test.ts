/** Each drill finds the rule that a server breaks, at the step that is about it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { DRILLS, network, runDrills } from '../../drills/src/index.js';
import type { DrillResult } from '../../drills/src/index.js';
import { nodeA } from '../support/world.js';
import { SEEDED } from './faults.js';
import type { Seeded } from './faults.js';
import { FaultyProxy } from './faulty-proxy.js';

const proxies: FaultyProxy[] = [];
const found = new Map<string, DrillResult>();

beforeAll(async () => {
  const heavy = DRILLS.filter(({ alone }) => alone).map(({ id }) => id);
  await Promise.all(SEEDED.filter(({ drill }) => !heavy.includes(drill)).map(drillFaulty));
  for (const seeded of SEEDED) if (heavy.includes(seeded.drill)) await drillFaulty(seeded);
}, 60_000);

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
});

async function drillFaulty({ drill, fault }: Seeded): Promise<void> {
  const proxy = await FaultyProxy.start(nodeA(), fault());
  proxies.push(proxy);
  const transport = network({ urls: [proxy.url], webSocket: WebSocket as never });
  const { drills } = await runDrills({
    drills: DRILLS.filter(({ id }) => id === drill),
    transport,
    heard: transport.heard,
    credential: {
      tenant: 'system',
      email: process.env['TEST_OPERATOR_EMAIL']!,
      password: process.env['TEST_OPERATOR_PASSWORD']!,
    },
    seed: 1,
    // This machine runs other test files beside.
    allowanceMs: 1_200,
  });
  found.set(drill, drills[0]!);
}

describe('a server that', () => {
  test.each(SEEDED)('$name is found by $drill at $step', ({ drill, step }) => {
    const { verdict, steps } = found.get(drill)!;
    const first = steps.find((one) => one.verdict !== 'passed');
    // As text, so that the reason is shown when it is another one.
    expect(`${first?.id} ${first?.verdict}: ${first?.why}`).toContain(`${step} failed: `);
    expect(first).toMatchObject({
      id: step,
      why: expect.any(String),
      page: `docs/drills.md#${drill.toLowerCase()}`,
    });
    expect(verdict).toBe('failed');
  });

  test('breaks a rule is there for every drill', () => {
    expect(SEEDED.map(({ drill }) => drill)).toEqual(DRILLS.map(({ id }) => id));
  });
});
