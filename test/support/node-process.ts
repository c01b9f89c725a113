/**
 * Nodes, databases and Redis servers of a test's own, for what the shared cluster cannot show:
 * another configuration, a crash, a frozen store. Everything started here ends with the test file.
 */
import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { createDatabase } from '../../scripts/stores/postgres.mjs';
import { startRedis } from '../../scripts/stores/redis.mjs';
import { startNodeProcess } from './nodes.mjs';
import { notePlace } from './secrets.mjs';
import { readRedis } from './sentinel.mjs';

export type NodeProcess = Awaited<ReturnType<typeof startNodeProcess>>;

const stops: (() => Promise<void>)[] = [];
let databases = 0;

afterAll(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
}, 60_000);

/**
 * A node on free ports. By default on a fresh database and a private Redis, migrated by itself,
 * with the operator of the shared cluster.
 */
export async function startNode(env: Record<string, string> = {}): Promise<NodeProcess> {
  const node = await startNodeProcess(
    {
      SECRET_KEY: randomBytes(32).toString('base64url'),
      ...operator(),
      ...env,
      DATABASE_URL: env['DATABASE_URL'] ?? (await freshDatabase()),
      REDIS_URL: env['REDIS_URL'] ?? (await freshRedisUrl()),
    },
    { logDir: required('TEST_LOG_DIR') },
  );
  stops.push(() => node.stop());
  return node;
}

export interface Cluster {
  nodes: NodeProcess[];
  databaseUrl: string;
  redisUrl: string;
  /** The environment of every node of it: start one more with `startNode(cluster.env)`. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** `n` nodes on one fresh database and one private Redis. */
export async function startCluster(n: number, env: Record<string, string> = {}): Promise<Cluster> {
  const databaseUrl = env['DATABASE_URL'] ?? (await freshDatabase());
  const redisUrl = env['REDIS_URL'] ?? (await freshRedisUrl());
  const shared = {
    SECRET_KEY: randomBytes(32).toString('base64url'),
    PUBLIC_URL: 'http://wardroom.test',
    ...env,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
  };
  const nodes = await Promise.all(Array.from({ length: n }, () => startNode(shared)));
  return {
    nodes,
    databaseUrl,
    redisUrl,
    env: shared,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

/** An empty database (no migration applied). */
export async function freshDatabase(): Promise<string> {
  databases += 1;
  const name = `${required('TEST_RUN')}_${process.pid}_${databases}_${randomBytes(3).toString('hex')}`;
  return createDatabase(required('TEST_DATABASE_URL'), name);
}

/** A private server: channels of Redis are shared by its logical databases. */
export async function freshRedisUrl(): Promise<string> {
  const redis = await startRedis();
  stops.push(async () => {
    // A server that a test ended or froze has nothing to show.
    const dump = await readRedis(redis.url).catch(() => '');
    notePlace('redis-of-a-test', dump);
    await redis.stop();
  });
  return redis.url;
}

function operator(): Record<string, string> {
  const email = process.env['TEST_OPERATOR_EMAIL'];
  const password = process.env['TEST_OPERATOR_PASSWORD'];
  return email === undefined || password === undefined
    ? {}
    : { BOOTSTRAP_OPERATOR_EMAIL: email, BOOTSTRAP_OPERATOR_PASSWORD: password };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run through npm test.`);
  return value;
}
