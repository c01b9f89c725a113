/**
 * Every promise holds through every fault, with sockets busy on all nodes. FAULTS=full runs all
 * scenarios on three nodes.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { FaultCluster } from './cluster.js';
import { runScenario } from './run-scenario.js';
import { SCENARIOS } from './scenarios.js';
import { REDIS } from './stores.js';

const full = process.env['FAULTS'] === 'full';
const only = process.env['FAULTS_ONLY'];
const chosen = SCENARIOS.filter(({ name, inCut }) =>
  only === undefined ? full || inCut : name.includes(only),
);
const withRedis = describeWith(REDIS, 'fault scenarios');

withRedis('the promises hold', () => {
  let cluster: FaultCluster | null = null;
  const table: string[] = [];

  // A scenario that failed leaves a cluster that the next one must not inherit.
  const healthyCluster = async () =>
    (cluster ??= await FaultCluster.start({ nodes: full ? 3 : 2, leaseMs: full ? 2_000 : 1_000 }));

  beforeAll(async () => void (await healthyCluster()), 60_000);

  afterAll(async () => {
    console.log(table.join('\n'));
    await cluster?.stop();
  }, 60_000);

  test.each(chosen.map((scenario) => [scenario.name, scenario] as const))(
    'while %s',
    async (name, scenario) => {
      const mine = await healthyCluster();
      const reason = scenario.skip?.(mine);
      if (reason !== undefined) {
        table.push(`${name}: skipped, ${reason}`);
        return;
      }
      try {
        const { violations, figures } = await runScenario(mine, scenario, full);
        table.push(
          `${name}: ${violations.length === 0 ? 'holds' : `${violations.length} VIOLATIONS`}; ${figures}`,
        );
        expect(violations).toEqual([]);
      } catch (error) {
        cluster = null;
        await mine.stop();
        throw error;
      }
    },
    240_000,
  );
});
