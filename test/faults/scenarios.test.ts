/** Every promise holds through every fault, with sockets busy on all nodes. FAULTS=full runs all scenarios on three nodes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FaultCluster } from './cluster.js';
import { runScenario } from './run-scenario.js';
import { SCENARIOS } from './scenarios.js';
import { redisServer } from './stores.js';

const full = process.env['FAULTS'] === 'full';
const only = process.env['FAULTS_ONLY'];
const chosen = SCENARIOS.filter(({ name, inCut }) => (only === undefined ? full || inCut : name.includes(only)));
const withRedis = redisServer() === undefined ? describe.skip : describe;
if (redisServer() === undefined) console.log('fault scenarios are skipped: no redis-server or valkey-server 7 or newer is on PATH');

withRedis('the promises hold', () => {
  let cluster: FaultCluster;
  const table: string[] = [];

  beforeAll(async () => {
    cluster = await FaultCluster.start({ nodes: full ? 3 : 2, leaseMs: full ? 2_000 : 1_000 });
  }, 60_000);

  afterAll(async () => {
    console.log(table.join('\n'));
    await cluster?.stop();
  }, 60_000);

  test.each(chosen.map((scenario) => [scenario.name, scenario] as const))(
    'while %s',
    async (name, scenario) => {
      const reason = scenario.skip?.(cluster);
      if (reason !== undefined) {
        table.push(`${name}: skipped, ${reason}`);
        return;
      }
      const { violations, figures } = await runScenario(cluster, scenario);
      table.push(`${name}: ${violations.length === 0 ? 'holds' : `${violations.length} VIOLATIONS`}; ${figures}`);
      expect(violations).toEqual([]);
    },
    120_000,
  );
});
