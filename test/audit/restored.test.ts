/**
 * A restore puts the audit back as well: no start breaks on it, what is left is whole, and the log
 * of a node names what is gone.
 */
import { expect, test } from '@jest/globals';
import { keepCopy } from '../faults/rewind.js';
import { runRestoreFence } from '../support/keys-cli.js';
import { startCluster, startNode } from '../support/node-process.js';
import { World } from '../support/world.js';
import { query } from '../support/sql.js';
import { SECRET_KEY, truncations } from './auditor.js';
import { verify } from './verify-cli.js';

/** The last head that the node told its log. */
const anchorOf = (log: string) =>
  [...log.matchAll(/"anchor":"([0-9a-f-]{36}:\d+:[0-9a-f]{64})"/g)].at(-1)![1]!;

test('after a restore nodes start, verify finds nothing by itself, and names what is missing when it is given the head from the log', async () => {
  const cluster = await startCluster(1, { SECRET_KEY });
  const [node] = cluster.nodes as [(typeof cluster.nodes)[0]];
  const world = await World.create({ base: node.url });
  const user = await world.user('u');
  const restore = await keepCopy(cluster.databaseUrl);
  await world.login(user);
  await node.stop();
  await restore();
  const [kept] = (await query<{ node: string; n: number }>(
    cluster.databaseUrl,
    'SELECT node, n::integer FROM audit_chains',
  )) as [{ node: string; n: number }];

  expect((await runRestoreFence(cluster.env)).code).toBe(0);
  const next = await startNode(cluster.env);
  await world.login(user, next.url);
  await next.stop();
  expect(await truncations(cluster.databaseUrl)).toEqual([]);
  expect(await verify(cluster.databaseUrl, SECRET_KEY)).toMatchObject({ code: 0, findings: [] });

  const anchor = anchorOf(node.logs());
  const [chain, last] = anchor.split(':') as [string, string];
  expect(chain).toBe(kept.node);
  expect(Number(last)).toBeGreaterThan(kept.n + 1);
  const { code, findings } = await verify(cluster.databaseUrl, SECRET_KEY, ['--anchor', anchor]);
  expect({ code, findings }).toEqual({
    code: 1,
    findings: [
      `chain ${chain}: records ${kept.n + 1} to ${last} are missing at the end; the anchor named it`,
    ],
  });
}, 60_000);
