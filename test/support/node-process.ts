/**
 * Nodes, databases and Redis servers of a test's own, for what the shared cluster cannot show:
 * another configuration, a crash, a frozen store. Everything started here ends with the test that
 * started it, or with the file: a node that nobody needs any more still costs its rounds.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach } from '@jest/globals';
import { createDatabase } from '../../scripts/stores/postgres.mjs';
import { startRedis } from '../../scripts/stores/redis.mjs';
import { startNodeProcess } from './nodes.mjs';
import { notePlace } from './secrets.mjs';
import { readRedis } from './sentinel.mjs';
import { query } from './sql.js';

export type NodeProcess = Awaited<ReturnType<typeof startNodeProcess>>;

interface Started {
  nodes: NodeProcess[];
  /** Ended after the nodes that use them. */
  stores: (() => Promise<void>)[];
}

const ofFile: Started = { nodes: [], stores: [] };
let ofTest: Started | null = null;
let databases = 0;

beforeEach(() => void (ofTest = { nodes: [], stores: [] }));
afterEach(async () => {
  const started = ofTest;
  ofTest = null;
  if (started !== null) await end(started);
}, 60_000);
afterAll(() => end(ofFile), 60_000);

async function end({ nodes, stores }: Started): Promise<void> {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await Promise.all(stores.splice(0).map((stop) => stop()));
}

/**
 * A node on free ports. By default on a migrated database and a private Redis of its own, with the
 * operator of the shared cluster. `until` the end of the file: later tests use it too.
 */
export async function startNode(
  env: Record<string, string> = {},
  { until = 'test' }: { until?: 'test' | 'file' } = {},
): Promise<NodeProcess> {
  const started = until === 'file' ? ofFile : (ofTest ?? ofFile);
  const node = await startNodeProcess(
    {
      SECRET_KEY: randomBytes(32).toString('base64url'),
      ...operator(),
      ...env,
      ...(await storesOf(env)),
    },
    { logDir: required('TEST_LOG_DIR') },
  );
  started.nodes.push(node);
  return node;
}

async function storesOf(
  env: Record<string, string>,
): Promise<{ DATABASE_URL: string; REDIS_URL: string }> {
  const [databaseUrl, redisUrl] = await Promise.all([
    env['DATABASE_URL'] ?? migratedDatabase(),
    env['REDIS_URL'] ?? freshRedisUrl(),
  ]);
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
}

export interface Cluster {
  nodes: NodeProcess[];
  databaseUrl: string;
  redisUrl: string;
  /** The environment of every node of it: start one more with `startNode(cluster.env)`. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** `n` nodes on one migrated database and one private Redis. */
export async function startCluster(n: number, env: Record<string, string> = {}): Promise<Cluster> {
  const stores = await storesOf(env);
  const shared = {
    SECRET_KEY: randomBytes(32).toString('base64url'),
    PUBLIC_URL: 'http://wardroom.test',
    ...env,
    ...stores,
  };
  const nodes = await Promise.all(Array.from({ length: n }, () => startNode(shared)));
  return {
    nodes,
    databaseUrl: stores.DATABASE_URL,
    redisUrl: stores.REDIS_URL,
    env: shared,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

/** An empty database (no migration applied). */
export const freshDatabase = (): Promise<string> => createOne();

/** A database as a first node leaves it after it migrated, with a history of its own. */
export async function migratedDatabase(): Promise<string> {
  const url = await createOne(required('TEST_DATABASE_TEMPLATE'));
  await query(url, OWN_HISTORY);
  return url;
}

const OWN_HISTORY = `UPDATE authority_head SET history = own, hash = sha256(uuid_send(own))
  FROM (SELECT gen_random_uuid() AS own) AS new`;

function createOne(template?: string): Promise<string> {
  databases += 1;
  const name = `${required('TEST_RUN')}_${process.pid}_${databases}_${randomBytes(3).toString('hex')}`;
  return createDatabase(required('TEST_DATABASE_URL'), name, {
    byFiles: process.env['TEST_THROWAWAY_POSTGRES'] === 'on',
    template,
  });
}

/** A private server: channels of Redis are shared by its logical databases. */
export async function freshRedisUrl(): Promise<string> {
  const { stores } = ofTest ?? ofFile;
  const redis = await startRedis();
  stores.push(async () => {
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
