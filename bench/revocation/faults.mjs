/**
 * Faults that begin the moment before rights are taken away. `apply` causes one and answers how to
 * mend it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ready } from './cluster.mjs';

/** Each way, so a round trip takes twice that. */
const LATENCY_MS = 25;
const last = ({ nodes }) => nodes.at(-1);

export const FAULTS = [
  {
    name: 'a node partitioned from Postgres and Redis',
    group: 'nodes',
    apply: (world) => {
      last(world).lines.forEach((line) => line.cut());
      return () => last(world).lines.forEach((line) => line.mend());
    },
  },
  {
    name: 'a node stopped (SIGSTOP)',
    group: 'nodes',
    apply: (world) => {
      last(world).process.kill('SIGSTOP');
      return () => last(world).process.kill('SIGCONT');
    },
  },
  {
    name: 'a node killed (kill -9)',
    group: 'nodes',
    apply: (world) => {
      last(world).process.kill('SIGKILL');
      return async () => {
        last(world).start();
        await ready(last(world));
        await world.reconnect();
      };
    },
  },
  {
    name: 'Redis killed (kill -9)',
    group: 'stores',
    apply: async ({ redis }) => {
      await redis.kill();
      return () => redis.up();
    },
  },
  {
    name: 'Redis frozen (SIGSTOP)',
    group: 'stores',
    apply: ({ redis }) => {
      redis.freeze();
      return () => redis.thaw();
    },
  },
  {
    name: 'Redis emptied every 20 ms (FLUSHALL)',
    group: 'stores',
    apply: ({ redis }) => {
      let going = true;
      const emptying = (async () => {
        while (going) {
          await redis.empty();
          await sleep(20);
        }
      })();
      return () => ((going = false), emptying);
    },
  },
  {
    name: `Postgres ${LATENCY_MS} ms away from every node (each way)`,
    group: 'stores',
    apply: ({ nodes }) => {
      for (const { lines } of nodes) lines[0].delay(LATENCY_MS);
      return () => nodes.forEach(({ lines }) => lines[0].delay(0));
    },
  },
];
