/**
 * CPU of nodes without connections, on an empty database: alone and in a pair, % of a core.
 *
 *   node bench/idle-nodes.mjs [--seconds 40] [--out FILE]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../scripts/lib/children.mjs';
import { freePort } from '../scripts/stores/machine.mjs';
import { writeReport } from './harness/machine.mjs';
import { startServer } from './harness/servers.mjs';
import { usageOf } from './harness/usage.mjs';
import { emptyWorld, nodeCommand, nodeEnvironment } from './seed.mjs';

const BOUND_PERCENT = 1;
/** After a start, until the heap, compiled code and connections to the stores are at rest. */
const SETTLE_MS = 60_000;
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '40' }, out: { type: 'string' } },
});
const seconds = Number(values.seconds);

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await emptyWorld({ log: console.error });
  const servers = [await start(world)];
  const alone = await percent(servers);
  servers.push(await start(world));
  const pair = await percent(servers);
  writeReport(values.out, `node bench/idle-nodes.mjs --seconds ${seconds}`, {
    bound_percent: BOUND_PERCENT,
    alone_percent: alone,
    pair_percent: pair,
  });
  process.exitCode = [...alone, ...pair].some((each) => each > BOUND_PERCENT) ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}

async function start(world) {
  const port = await freePort();
  const command = { ...nodeCommand(), env: nodeEnvironment(world, port) };
  return startServer(command, { port, dir: world.dir, name: `node-${port}` });
}

/** Of each node while nothing happens. */
async function percent(servers) {
  await sleep(SETTLE_MS);
  const cpuMs = () => servers.map(({ pid }) => usageOf([pid]).cpuMs);
  const before = cpuMs();
  await sleep(seconds * 1_000);
  return cpuMs().map((ms, i) => Number(((ms - before[i]) / (seconds * 10)).toFixed(2)));
}
