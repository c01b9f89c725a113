/**
 * Contract section 3: rotation of refresh tokens, over two nodes. `REFRESH_ROUNDS=200` races as
 * often as the promise says.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { query } from '../support/sql.js';

const ROUNDS = Number(process.env['REFRESH_ROUNDS'] ?? 4);
let world: World;
beforeAll(async () => {
  world = await World.create();
});

const refresh = (refresh_token: string, base = nodeA(), expected = 200) =>
  call(base, '/v1/auth/refresh', { body: { refresh_token }, expect: expected });

const rowOf = async (
  session: string,
  database = process.env['TEST_CLUSTER_DATABASE_URL']!,
): Promise<any> => (await query(database, 'SELECT * FROM sessions WHERE id = $1', [session]))[0];

describe('refresh', () => {
  test('answers like login, with a new access token and a new refresh token of the same session', async () => {
    const user = await world.user('u');
    const { body, headers } = await refresh(user.refresh, nodeB());
    expect(body).toMatchObject({ session_id: user.session, token_type: 'Bearer' });
    expect(body.refresh_token).not.toBe(user.refresh);
    expect(body.access_token).not.toBe(user.token);
    expect(headers.get('cache-control')).toBe('no-store');
    await call(nodeA(), '/v1/me', { token: body.access_token });
  });

  test(
    `50 parallel refreshes on two nodes give one successor and no false reuse, ${ROUNDS} times in a row`,
    async () => {
      const user = await world.user('u');
      let current = user.refresh;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) => refresh(current, i % 2 === 0 ? nodeA() : nodeB())),
        );
        expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
        expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(50);
        expect(answers[0]!.body.refresh_token).not.toBe(current);
        current = answers[0]!.body.refresh_token;
      }
      // Every round was one rotation, and the session lives.
      expect(await rowOf(user.session)).toMatchObject({
        refresh_generation: ROUNDS + 1,
        ended_at: null,
      });
    },
    30_000 + ROUNDS * 3_000,
  );

  test('the box of the successor is erased once that was used and the overlap is over; an unused one stays', async () => {
    const { nodes, databaseUrl } = await startCluster(1, { REFRESH_OVERLAP_SECONDS: '2' });
    const own = await World.create({ base: nodes[0]!.url });
    const [user, waiting] = await own.users('u', 'w');
    const { body } = await refresh(user!.refresh, nodes[0]!.url);
    await refresh(waiting!.refresh, nodes[0]!.url);
    const [row, unused] = [
      () => rowOf(user!.session, databaseUrl),
      () => rowOf(waiting!.session, databaseUrl),
    ];
    expect((await row()).refresh_sealed).not.toBeNull();
    await call(nodes[0]!.url, '/v1/me', { token: body.access_token });
    const beganMs = performance.now();
    while ((await row()).refresh_sealed !== null && performance.now() - beganMs < 8_000);
    expect(await row()).toMatchObject({ refresh_used: true, refresh_sealed: null, ended_at: null });
    expect((await unused()).refresh_sealed).not.toBeNull();
    expect((await refresh(user!.refresh, nodes[0]!.url, 401)).body.code).toBe('token_reuse');
    await refresh(waiting!.refresh, nodes[0]!.url);
  });

  test('the preceding token gives the same successor again while that is unused', async () => {
    const user = await world.user('u');
    const first = await refresh(user.refresh);
    const second = await refresh(user.refresh, nodeB());
    expect(second.body.refresh_token).toBe(first.body.refresh_token);
    await refresh(first.body.refresh_token);
  });

  test('an older token is reuse: the session and its connections end, on every node', async () => {
    const user = await world.user('u');
    const socket = await RawClient.live(wsUrl(nodeB()), user.token);
    const first = await refresh(user.refresh);
    const second = await refresh(first.body.refresh_token);
    expect((await refresh(user.refresh, nodeA(), 401)).body).toMatchObject({
      code: 'token_reuse',
      action: 'login',
    });
    const { code, reason } = await socket.closed;
    expect([code, reason.code]).toEqual([1008, 'token_reuse']);
    expect(
      (await call(nodeB(), '/v1/me', { token: second.body.access_token, expect: 401 })).body.code,
    ).toBe('token_reuse');
    expect((await refresh(second.body.refresh_token, nodeB(), 401)).body.code).toBe('token_reuse');
  });

  test('a token somebody made up is invalid and ends nothing', async () => {
    const user = await world.user('u');
    const changed = user.refresh.slice(0, -1) + (user.refresh.endsWith('A') ? 'B' : 'A');
    for (const made of [changed, 'wr_rt_nonsense', user.token.slice(0, 500)])
      expect((await refresh(made, nodeA(), 401)).body.code).toBe('auth_invalid');
    await call(nodeA(), '/v1/me', { token: user.token });
    expect((await call(nodeA(), '/v1/auth/refresh', { body: {}, expect: 401 })).body.code).toBe(
      'auth_missing',
    );
  });

  test('nothing in the database is a token or opens one', async () => {
    const user = await world.user('u');
    const { body } = await refresh(user.refresh);
    const dump = Object.values(await rowOf(user.session))
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
      .join('\n');
    for (const token of [user.refresh, body.refresh_token as string]) {
      expect(dump).not.toContain(token);
      expect(dump).not.toContain(
        Buffer.from(token.slice(6), 'base64url').subarray(21, 53).toString('latin1'),
      );
    }
  });
});

describe('without an overlap', () => {
  let nodes: { url: string }[];
  let own: World;
  beforeAll(async () => {
    const cluster = await startCluster(2, { REFRESH_OVERLAP_SECONDS: '0' });
    nodes = cluster.nodes;
    own = await World.create({ base: nodes[0]!.url });
  });

  test('the preceding token is reuse as soon as an access token of its successor was accepted, at most 5 s late', async () => {
    const user: SignedIn = await own.user('u');
    const { body } = await refresh(user.refresh, nodes[0]!.url);
    await call(nodes[1]!.url, '/v1/me', { token: body.access_token });
    const beganMs = performance.now();
    let code: string | undefined;
    while (code === undefined && performance.now() - beganMs < 6_000) {
      const response = await fetch(`${nodes[0]!.url}/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: user.refresh }),
      });
      const answer = (await response.json()) as { code?: string; refresh_token?: string };
      if (response.ok) expect(answer.refresh_token).toBe(body.refresh_token);
      else code = answer.code;
    }
    expect(code).toBe('token_reuse');
    expect(performance.now() - beganMs).toBeLessThan(5_000);
  });

  test('an unused successor is given again, also without an overlap', async () => {
    const user = await own.user('u');
    const first = await refresh(user.refresh, nodes[0]!.url);
    const second = await refresh(user.refresh, nodes[1]!.url);
    expect(second.body.refresh_token).toBe(first.body.refresh_token);
  });
});
