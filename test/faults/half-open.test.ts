/**
 * P9: a network that swallows everything without a word. The heartbeat finds it within two beats,
 * 50 s: `npm run test:faults` waits for that; `npm test` has test/unit/gateway/heartbeat.test.ts.
 */
import { expect, test } from '@jest/globals';
import { auditUntil, named } from '../audit/read.js';
import { startNode } from '../support/node-process.js';
import { describeWith } from '../support/needs.js';
import { RawClient } from '../support/raw-client.js';
import { World } from '../support/world.js';
import { TcpProxy } from './tcp-proxy.js';

const TWO_BEATS_MS = 52_000;
const long = describeWith(
  { met: process.env['FAULTS'] === 'full', reason: 'takes a minute: npm run test:faults' },
  'half-open connections',
);

long('a connection whose network is gone without FIN or RST', () => {
  test(
    'ends as transport half_open, once: metric, log and audit; one beside it, whose network is there, lives on',
    async () => {
      const node = await startNode();
      const world = await World.create({ base: node.url });
      const [gone, there] = await world.users('gone', 'there');
      const proxy = await TcpProxy.before(node.url);
      const lost = await RawClient.live(
        `${proxy.urlThrough(node.url).replace(/^http/, 'ws')}v1/ws`,
        gone!.token,
      );
      const kept = await RawClient.live(node.wsUrl, there!.token);
      proxy.blackHole({ lose: true });
      const metric = async () => (await fetch(`${node.internalUrl}/metrics`)).text();
      const deadline = performance.now() + TWO_BEATS_MS;
      while (
        !(await metric()).includes(
          'wardroom_connections_closed_total{side="transport",code="half_open"} 1',
        ) &&
        performance.now() < deadline
      ) {
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      expect(
        (await metric())
          .split('\n')
          .filter((line) => line.startsWith('wardroom_connections_closed_total')),
      ).toEqual(['wardroom_connections_closed_total{side="transport",code="half_open"} 1']);
      const records = await auditUntil(world, (all) => named(all, 'connection_closed').length > 0, {
        user: gone!.id,
      });
      expect(named(records, 'connection_closed').map(({ detail }) => detail)).toEqual([
        { side: 'transport', code: 'half_open', ms: expect.any(Number) },
      ]);
      expect(
        node
          .logs()
          .split('\n')
          .filter((line) => line.includes('"half_open"')),
      ).toHaveLength(1);
      await kept.settled();
      kept.ws.terminate();
      lost.ws.terminate();
      await proxy.stop();
    },
    TWO_BEATS_MS + 20_000,
  );
});
