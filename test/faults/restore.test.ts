/**
 * From dump to service (P1): a node refuses to start on a database that is older than what its
 * Redis remembers; after `npm run restore-fence` nobody who was signed in before is, by REST,
 * refresh or WebSocket, and everybody can sign in.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { runRestoreFence } from '../support/keys-cli.js';
import { query } from '../support/sql.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { insight } from '../support/redis-insight.js';
import { World, call, operator, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { keepCopy } from './rewind.js';

const OLDER = /The database was restored or has lost commits: .* run npm run restore-fence\./;

let cluster: Cluster;
let world: World;
let [ada, ben]: SignedIn[] = [];
let base: string;
/** Signed in after the dump was taken. */
let dora: SignedIn;
let redis: Redis;
/** The key of the newest position, and what a node left there in the past that is lost. */
let position: string;
let lost: Buffer;

const alive = async () =>
  Number(
    (
      await query<{ n: string }>(
        cluster.databaseUrl,
        'SELECT count(*) AS n FROM sessions WHERE ended_at IS NULL',
      )
    )[0]!.n,
  );

beforeAll(async () => {
  cluster = await startCluster(1, { AUTHORITY_LEASE_MS: '1000' });
  base = cluster.nodes[0]!.url;
  world = await World.create({ base });
  [ada, ben] = await world.users('ada', 'ben');
  const restore = await keepCopy(cluster.databaseUrl);
  const { body } = await call(base, '/v1/auth/logout', { token: ada!.token, body: {} });
  expect(body.sessions).toBe(1);
  dora = await world.login(ben!);
  const ours = await insight(cluster);
  redis = new Redis(cluster.redisUrl);
  position = `${ours.prefix}authority:position`;
  // A node that stops has had its last round.
  await cluster.nodes[0]!.stop();
  lost = (await redis.getBuffer(position))!;
  expect(JSON.parse(ours.open('position\n', lost)!)).toMatchObject({
    n: expect.any(Number),
    history: body.history,
  });
  await restore();
}, 60_000);
afterAll(() => redis?.disconnect());

test('a node refuses to start, says what it found and what to do, and leaves no trace that a receipt would wait for', async () => {
  const nodes = async () =>
    (await query(cluster.databaseUrl, 'SELECT id FROM nodes WHERE left_at IS NULL')).length;
  const before = await nodes();
  await expect(startNode(cluster.env)).rejects.toThrow(OLDER);
  expect(await nodes()).toBe(before);
});

describe('after restore-fence', () => {
  let running: NodeProcess;

  test('nodes start, every session of before is refused by REST, refresh and WebSocket, and a new login works', async () => {
    const ended = await alive();
    expect(ended).toBeGreaterThan(1);
    const { code, stdout, stderr } = await runRestoreFence(cluster.env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(
        `^Ended ${ended} sessions: everybody has to sign in again\\.\\n.*goes on as history .*\\nNo node is running: .*\\n$`,
      ),
    );
    expect(await alive()).toBe(0);
    const rows = await query<{ detail: unknown }>(
      cluster.databaseUrl,
      `SELECT detail FROM audit_events WHERE event = 'authority_history_replaced'`,
    );
    expect(rows.map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ evidence: 'restore', first: true, sessions: ended }),
    ]);

    running = await startNode(cluster.env, { until: 'file' });
    base = running.url;
    for (const { token, refresh } of [ada!, ben!, dora]) {
      const { body } = await call(base, '/v1/me', { token, expect: 401 });
      expect(body.code).toBe('session_revoked');
      await expect(RawClient.open(wsUrl(base), { token })).rejects.toMatchObject({ status: 401 });
      await call(base, '/v1/auth/refresh', { body: { refresh_token: refresh }, expect: 401 });
    }
    const again = await signIn(ada!);
    await call(base, '/v1/me', { token: again });
    (await RawClient.live(wsUrl(base), again)).close();
  }, 30_000);

  test('beside running nodes it closes what was signed in meanwhile, and every node knows when it is done', async () => {
    const token = await signIn(ben!);
    const client = await RawClient.live(wsUrl(base), token);
    const { code, stdout } = await runRestoreFence(cluster.env);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/Every running node \(1\) knows\.\n$/),
    });
    expect(await client.closed).toMatchObject({
      code: 1008,
      reason: { code: 'session_revoked', action: 'login' },
    });
    await call(base, '/v1/me', { token, expect: 401 });
    await call(base, '/v1/me', { token: await signIn(ben!) });
  }, 30_000);

  test.each<[string, () => string | Buffer]>([
    ['of the lost past, written again', () => lost],
    ['forged: another key or place', () => flipped(lost)],
    [
      'in clear',
      () =>
        JSON.stringify({
          history: '00000000-0000-4000-8000-000000000000',
          n: 1e9,
          hash: 'f'.repeat(64),
        }),
    ],
  ])('a position in Redis %s keeps no node from starting', async (_how, value) => {
    await running.stop();
    await redis.set(position, value());
    running = await startNode(cluster.env, { until: 'file' });
    await call(running.url, '/v1/me', { token: await operator(running.url) });
  });
});

async function signIn({ email, password }: SignedIn): Promise<string> {
  const { body } = await call(base, '/v1/auth/login', {
    body: { tenant: world.tenant.slug, email, password },
  });
  return body.access_token as string;
}

function flipped(box: Buffer): Buffer {
  const changed = Buffer.from(box);
  changed[changed.length - 1]! ^= 1;
  return changed;
}
