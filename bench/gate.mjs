/**
 * The gate of `npm test`: has a delivery become dearer, compared with bare `ws` measured a moment
 * before on the same machine? CPU per delivery hardly depends on what else runs, but coalescing
 * does: an attempt that is over its ceiling is repeated, and only a ratio that stays over it in
 * every attempt is a regression. `--ours PEER` measures another server in our place: `ws-naive` has
 * to fail.
 *
 *   node bench/gate.mjs [--ours wardroom-signal]
 */
import '../scripts/lib/require-node.mjs';
import { parseArgs } from 'node:util';
import { stopChildren, stopOnSignals } from '../scripts/lib/children.mjs';
import { ensureBuilt, ensureInstalled } from '../scripts/lib/install.mjs';
import { stillOver } from './harness/still-over.mjs';

const { values: options } = parseArgs({
  options: { ours: { type: 'string', default: 'wardroom-signal' } },
});
ensureInstalled();
if (!ensureBuilt()) process.exit(1);
stopOnSignals(() => console.error('\nInterrupted.'), 130);
const { withDefaults } = await import('./harness/question.mjs');
const { runOnce } = await import('./harness/one-run.mjs');
const { minter, openWorld } = await import('./seed.mjs');

const load = { subscribers: 300, publishers: 1, warmSeconds: 0.5, seconds: 1 };
const checks = [
  {
    what: 'one message in flight: every delivery is a write',
    bare: 'ws-framed',
    ours: options.ours,
    load: { ...load, window: 1 },
    ceiling: 2,
  },
  // Not against ws-batched: a starved server joins more per write, and how much more differs
  // between the two runs.
  {
    what: '8 messages in flight: the deliveries of a turn share a write',
    bare: 'ws-framed',
    ours: options.ours,
    load: { ...load, window: 8 },
    ceiling: 0.5,
  },
];

try {
  const world = await openWorld();
  const ctx = { world, mint: await minter(world) };
  const cost = async (peer, load) =>
    (await runOnce(peer, withDefaults(load), undefined, ctx)).cpu_us_per_delivery;
  for (const { what, bare, ours, load, ceiling } of checks) {
    const ratio = async () => {
      const [floor, mine] = [await cost(bare, load), await cost(ours, load)];
      console.log(
        `${what}: ${bare} ${floor.toFixed(2)}, ${ours} ${mine.toFixed(2)} CPU µs/delivery: ${(mine / floor).toFixed(2)} x (ceiling ${ceiling})`,
      );
      return mine / floor;
    };
    if (!(await stillOver(ceiling, ratio))) continue;
    console.error(`REGRESSION: ${ours} costs more than ${ceiling} x ${bare} in every attempt.`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopChildren();
}
