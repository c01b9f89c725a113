/**
 * Faults, one entry each: `apply` causes it and answers how to mend it. In each of them the
 * promises of the contract hold during and after it, and the cluster heals.
 */
import type { FaultCluster, FaultNode } from './cluster.js';

export interface Scenario {
  name: string;
  /** Runs in `npm test` too. */
  inCut: boolean;
  /** Breaks only Redis: nobody may be fenced or refused. */
  redisOnly?: boolean;
  /**
   * So many sets of victims lose their rights while it is broken, one after the other; default:
   * one.
   */
  rounds?: number;
  /**
   * How long it stays broken, at least; also at least until the changes made meanwhile are
   * answered.
   */
  holdMs: (leaseMs: number) => number;
  /** False: it is mended after `holdMs` whatever is unanswered (calls may wait for it). */
  waitForAnswers?: boolean;
  /** Nodes the changes are made through meanwhile; default: all. */
  via?: (cluster: FaultCluster) => readonly FaultNode[];
  skip?: (cluster: FaultCluster) => string | undefined;
  apply: (cluster: FaultCluster) => Promise<() => Promise<void> | void>;
}

const last = (cluster: FaultCluster): FaultNode => cluster.nodes.at(-1)!;
const butLast = (cluster: FaultCluster): readonly FaultNode[] => cluster.nodes.slice(0, -1);
const pastLease = (leaseMs: number): number => leaseMs * 1.6;
const briefly = (): number => 1_200;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'nothing breaks',
    inCut: false,
    redisOnly: true,
    holdMs: () => 300,
    apply: async () => () => undefined,
  },
  {
    name: 'a node is stopped for longer than its lease (SIGSTOP)',
    // The cut has the next but one, which is this and more.
    inCut: false,
    holdMs: pastLease,
    via: butLast,
    apply: async (cluster) => {
      last(cluster).freeze();
      return () => last(cluster).thaw();
    },
  },
  {
    name: 'a node is stopped for 20 s (SIGSTOP)',
    inCut: false,
    holdMs: () => 20_000,
    via: butLast,
    apply: async (cluster) => {
      last(cluster).freeze();
      return () => last(cluster).thaw();
    },
  },
  {
    name: 'a node is stopped past the pruned log (SIGSTOP)',
    inCut: true,
    holdMs: pastLease,
    via: butLast,
    apply: async (cluster) => {
      last(cluster).freeze();
      last(cluster).redis.reset();
      return async () => {
        // As after half an hour: neither the stream nor the log goes back far enough.
        await cluster.redis.run('FLUSHALL');
        await cluster.sql('UPDATE authority_head SET pruned = n');
        last(cluster).thaw();
      };
    },
  },
  ...postgresPartitions(),
  {
    name: 'Postgres loses answers to one node',
    inCut: false,
    holdMs: pastLease,
    apply: async (cluster) => {
      const timer = setInterval(() => last(cluster).postgres.dropReplies(), 150);
      return () => (clearInterval(timer), last(cluster).postgres.heal());
    },
  },
  {
    name: 'Postgres is slow for one node (150 ms each way)',
    inCut: false,
    holdMs: pastLease,
    apply: async (cluster) => {
      last(cluster).postgres.delay(150);
      return () => last(cluster).postgres.heal();
    },
  },
  {
    name: 'Postgres resets the connections of all nodes',
    inCut: false,
    holdMs: briefly,
    apply: async (cluster) => {
      const timer = setInterval(() => cluster.nodes.forEach((node) => node.postgres.reset()), 400);
      return () => clearInterval(timer);
    },
  },
  {
    name: 'Postgres is restarted',
    inCut: true,
    holdMs: briefly,
    waitForAnswers: false,
    apply: async (cluster) => {
      await cluster.restartPostgres();
      return () => undefined;
    },
  },
  {
    name: 'Postgres crashes (kill -9 of all its processes)',
    inCut: false,
    holdMs: briefly,
    waitForAnswers: false,
    apply: async (cluster) => {
      await cluster.crashPostgres();
      return () => undefined;
    },
  },
  {
    name: 'Postgres is frozen (SIGSTOP)',
    inCut: true,
    holdMs: pastLease,
    waitForAnswers: false,
    apply: async ({ postgres }) => {
      postgres.freeze();
      return () => postgres.thaw();
    },
  },
  {
    name: 'Redis is black-holed from one node, bytes lost',
    inCut: true,
    redisOnly: true,
    holdMs: pastLease,
    apply: async (cluster) => {
      last(cluster).redis.blackHole({ lose: true });
      return () => last(cluster).redis.heal();
    },
  },
  {
    name: 'Redis is black-holed from one node, answers only, bytes delayed',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async (cluster) => {
      last(cluster).redis.blackHole({ direction: 'down' });
      return () => last(cluster).redis.heal();
    },
  },
  {
    name: 'Redis is slow for one node (300 ms each way)',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async (cluster) => {
      last(cluster).redis.delay(300);
      return () => last(cluster).redis.heal();
    },
  },
  {
    name: 'Redis is frozen (SIGSTOP)',
    // The cut has a Redis that does not answer one node.
    inCut: false,
    redisOnly: true,
    holdMs: (leaseMs) => Math.max(pastLease(leaseMs), 4_000),
    apply: async ({ redis }) => {
      redis.freeze();
      return () => redis.thaw();
    },
  },
  {
    name: 'Redis is killed and comes back empty',
    inCut: true,
    redisOnly: true,
    holdMs: pastLease,
    apply: async ({ redis }) => {
      redis.kill();
      return () => redis.up({ empty: true });
    },
  },
  {
    name: 'Redis is killed and comes back with its data',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async ({ redis }) => {
      redis.kill();
      return () => redis.up();
    },
  },
  {
    name: 'Redis is emptied again and again (FLUSHALL)',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async (cluster) => repeat(100, () => cluster.redis.run('FLUSHALL')),
  },
  {
    name: 'Redis kills its readers again and again (CLIENT KILL)',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async (cluster) =>
      repeat(80, async () => {
        await cluster.redis.run('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await cluster.redis.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }),
  },
  {
    name: 'Redis evicts (allkeys-random and no room)',
    inCut: false,
    redisOnly: true,
    holdMs: pastLease,
    apply: async ({ redis }) => {
      await redis.run('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
      await redis.run('CONFIG', 'SET', 'maxmemory', '1mb');
      return () => restoreMemory(redis);
    },
  },
  {
    name: 'Redis is full (noeviction)',
    inCut: true,
    redisOnly: true,
    holdMs: briefly,
    apply: async ({ redis }) => {
      await redis.run('CONFIG', 'SET', 'maxmemory', '1');
      return () => restoreMemory(redis);
    },
  },
  {
    name: 'a node is killed (kill -9) and comes back',
    inCut: true,
    holdMs: pastLease,
    via: butLast,
    apply: async (cluster) => {
      await last(cluster).kill();
      return () => last(cluster).start();
    },
  },
  {
    name: 'every node is killed in turn (kill -9)',
    inCut: false,
    holdMs: briefly,
    waitForAnswers: false,
    apply: async (cluster) => {
      for (const node of cluster.nodes) {
        await node.kill();
        await node.start();
      }
      return () => undefined;
    },
  },
  ...clockSteps(),
  {
    name: 'everything breaks at random for 40 s',
    inCut: false,
    rounds: 3,
    holdMs: () => 40_000,
    waitForAnswers: false,
    apply: atRandom,
  },
];

/** One fault after another; the seed is printed and can be given again (FAULTS_SEED). */
async function atRandom(cluster: FaultCluster): Promise<() => Promise<void>> {
  const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`FAULTS_SEED=${seed}`);
  const random = generator(seed);
  const chosen = SCENARIOS.filter((scenario) => scenario.apply !== atRandom);
  let going = true;
  const loop = async () => {
    while (going) {
      const scenario = chosen[Math.floor(random() * chosen.length)]!;
      const mend = await scenario.apply(cluster);
      await new Promise((resolve) => setTimeout(resolve, 300 + random() * 2_500));
      await mend();
      await new Promise((resolve) => setTimeout(resolve, random() * 1_000));
    }
  };
  const done = loop();
  return async () => {
    going = false;
    await done;
  };
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function postgresPartitions(): Scenario[] {
  const hole = (
    name: string,
    inCut: boolean,
    options: Parameters<FaultNode['postgres']['blackHole']>[0],
  ): Scenario => ({
    name: `Postgres is black-holed from one node, ${name}`,
    inCut,
    holdMs: (leaseMs) => pastLease(leaseMs),
    via: butLast,
    apply: async (cluster) => {
      last(cluster).postgres.blackHole(options);
      return () => last(cluster).postgres.heal();
    },
  });
  return [
    hole('bytes lost', true, { lose: true }),
    hole('answers only, bytes delayed', false, { direction: 'down' }),
    hole('questions only, bytes delayed', false, { direction: 'up' }),
  ];
}

function clockSteps(): Scenario[] {
  return [3_600, -3_600].map((seconds) => ({
    name: `the clock of a node is stepped by ${seconds} s`,
    inCut: false,
    holdMs: pastLease,
    via: butLast,
    skip: (cluster) =>
      cluster.hasClocks
        ? undefined
        : 'libfaketime is not on this machine (LIBFAKETIME=/path/to/libfaketimeMT.so.1)',
    apply: async (cluster) => {
      last(cluster).stepClock(seconds);
      return () => last(cluster).stepClock(0);
    },
  }));
}

async function repeat(everyMs: number, work: () => Promise<unknown>): Promise<() => Promise<void>> {
  let going = true;
  const loop = (async () => {
    while (going) {
      await work().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return () => ((going = false), loop);
}

async function restoreMemory(redis: FaultCluster['redis']): Promise<void> {
  await redis.run('CONFIG', 'SET', 'maxmemory', '0');
  await redis.run('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
}
