/**
 * P1 when Postgres comes back without its newest commits, on two running nodes: in every way the
 * log can step back, both notice within a round, judge every connection again, and no receipt is
 * effective on the strength of the lost history.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { withPostgres } from '../support/sql.js';
import { keepCopy, keepTables } from './rewind.js';

const LEASE_MS = 1_000;
/** A round, and what a loaded machine adds. */
const NOTICED_MS = 3_000;

let cluster: Cluster;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(2, { AUTHORITY_LEASE_MS: String(LEASE_MS) });
  world = await World.create({ base: cluster.nodes[0]!.url });
});
afterAll(() => cluster.stop());

const query = (sql: string) => withPostgres(cluster.databaseUrl, (client) => client.query(sql));
const bases = () => cluster.nodes.map((node) => node.url);
const replacedCounts = () =>
  Promise.all(cluster.nodes.map(({ internalUrl }) => countOf(internalUrl)));

async function countOf(internalUrl: string): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return [...text.matchAll(/^wardroom_authority_history_replaced_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** Resolves once every node has counted a replacement since `before` and serves again. */
async function noticedByAll(before: number[]): Promise<void> {
  const deadlineMs = performance.now() + NOTICED_MS;
  for (;;) {
    const counts = await replacedCounts();
    const ready = await Promise.all(
      cluster.nodes.map(async ({ internalUrl }) => (await fetch(`${internalUrl}/readyz`)).json()),
    );
    const done =
      counts.every((count, i) => count > before[i]!) &&
      ready.every((answer) => answer.status === 'ok');
    if (done) {
      for (const { details } of ready)
        expect(details.authority).toMatchObject({
          status: 'up',
          authority_history_replaced: expect.any(String),
        });
      return;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`not every node noticed: ${JSON.stringify({ before, counts, ready })}`);
    await delay(20);
  }
}

/** A socket of the user on each node. */
const onBoth = ({ token }: SignedIn) =>
  Promise.all(bases().map((base) => RawClient.live(wsUrl(base), token)));

/** Events of the log that are about nobody else. */
async function events(count: number): Promise<void> {
  const nobody = await world.user('nobody');
  for (let i = 0; i < count; i += 1) {
    const again = await world.login(nobody);
    await call(bases()[0]!, '/v1/auth/logout', { token: again.token, body: {} });
  }
}

const rewindLog = (by: number) =>
  `DELETE FROM authority_events WHERE n > (SELECT n - ${by} FROM authority_head); UPDATE authority_head SET n = n - ${by};`;
const advanceLog = (by: number) =>
  `DO $$ BEGIN FOR i IN 1..${by} LOOP
     WITH head AS (UPDATE authority_head SET n = n + 1 RETURNING n)
     INSERT INTO authority_events (n, kind, payload) SELECT n, 'session.ended', '{"kind":"session.ended","sessions":[],"reason":"session_revoked"}' FROM head;
   END LOOP; END $$;`;
const rewindRows = (by: number) =>
  `UPDATE nodes SET round = round - 3, position = position - ${by} WHERE left_at IS NULL;`;

describe('the authority log steps back under running nodes', () => {
  test.each([
    ['alone', () => rewindLog(3)],
    [
      'and goes on past its old head before a node looks',
      () => `BEGIN; ${rewindLog(3)} ${advanceLog(9)} COMMIT;`,
    ],
    [
      'and goes on exactly to its old head',
      () => `BEGIN; ${rewindLog(3)} ${advanceLog(3)} COMMIT;`,
    ],
    ['with the rows of the nodes', () => `BEGIN; ${rewindLog(3)} ${rewindRows(3)} COMMIT;`],
    ['by one number, its events still there', () => 'UPDATE authority_head SET n = n - 1;'],
    [
      'in its middle, so that the next event does not follow on',
      () => `BEGIN; ${rewindLog(3)} ${advanceLog(1)} UPDATE nodes SET position = 0; COMMIT;`,
    ],
  ])(
    '%s: every node notices, and a logout right after it closes both sockets before its receipt is effective',
    async (_how, sql) => {
      const [ada, ben] = [await world.user('ada'), await world.user('ben')];
      await events(4);
      const [hers, his] = [await onBoth(ada), await onBoth(ben)];
      const before = await replacedCounts();
      await query(sql());
      const { status, body } = await logout(ada);
      // Called in the midst of it: done, or to be done again. Never a receipt that is not true.
      expect([200, 503]).toContain(status);
      if (body.effective === true) await closedOnBoth(hers);
      await noticedByAll(before);
      if (status === 503) await logout(ada);
      await closedOnBoth(hers);
      for (const base of bases()) await call(base, '/v1/me', { token: ada.token, expect: 401 });
      for (const client of his) await client.settled();
      expect(await effective(await logout(ben))).toBe(true);
      await closedOnBoth(his);
    },
  );
});

describe('the whole database steps back under running nodes', () => {
  test.each([
    ['every table rewound', keepTables],
    ['swapped for a copy', keepCopy],
  ])(
    '%s: who was signed out meanwhile stays out, who signed in meanwhile is sent to sign in, the rest go on',
    async (_how, keep) => {
      const [ada, ben] = [await world.user('ada'), await world.user('ben')];
      const back = await keep(cluster.databaseUrl);
      const his = await onBoth(ben);
      const dora = await world.login(ben);
      const [hers, doras] = [await onBoth(ada), await onBoth(dora)];
      expect(await effective(await logout(ada))).toBe(true);
      await closedOnBoth(hers);
      const receipt = (await logout(await world.login(ada))).body.id as string;
      const before = await replacedCounts();
      await back();
      await noticedByAll(before);
      for (const client of doras)
        expect(await client.closed).toMatchObject({
          code: 1008,
          reason: { code: 'session_revoked', action: 'login' },
        });
      for (const base of bases()) {
        await call(base, '/v1/me', { token: ada.token, expect: 401 });
        await call(base, '/v1/auth/refresh', { body: { refresh_token: ada.refresh }, expect: 401 });
        await call(base, '/v1/me', { token: dora.token, expect: 401 });
        await expect(RawClient.open(wsUrl(base), { token: dora.token })).rejects.toMatchObject({
          status: 401,
        });
        await call(base, '/v1/me', { token: ben.token });
      }
      for (const client of his) await client.settled();
      const lost = await call(bases()[0]!, `/v1/receipts/${receipt}`, {
        token: world.operator(),
        expect: 404,
      });
      expect(lost.body.code).toBe('not_found');
    },
  );
});

test('a refresh token of a session that nodes know to be ended is not taken, also before a round has shown that Postgres forgot the end', async () => {
  const [ada, ben] = [await world.user('ada'), await world.user('ben')];
  expect(await effective(await logout(ada))).toBe(true);
  // The end alone is lost: no round can find that.
  await query(`UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE id = '${ada.session}'`);
  const introspect = async ({ refresh }: SignedIn) => {
    const response = await fetch(`${bases()[0]!}/v1/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.operator()}` },
      body: new URLSearchParams({ token: refresh }),
    });
    return (await response.json()).active;
  };
  expect([await introspect(ada), await introspect(ben)]).toEqual([false, true]);
  for (const base of bases()) {
    const { body } = await call(base, '/v1/auth/refresh', {
      body: { refresh_token: ada.refresh },
      expect: 401,
    });
    expect(body.code).toBe('session_revoked');
  }
});

test('a receipt of the lost history is never effective again, one of before the step back is', async () => {
  const [ada, ben] = [await world.user('ada'), await world.user('ben')];
  const kept = (await logout(ada)).body;
  const lost = (await logout(ben)).body;
  expect([kept.effective, lost.effective]).toEqual([true, true]);
  expect(kept.history).toBe(lost.history);
  const before = await replacedCounts();
  await query(rewindLog(1));
  const follow = async ({ id }: { id: string }) =>
    (await call(bases()[1]!, `/v1/receipts/${id}`, { token: world.operator() })).body;
  expect(await follow(lost)).toMatchObject({ effective: false, state: 'pending' });
  await noticedByAll(before);
  expect(await follow(lost)).toMatchObject({ effective: false, state: 'pending' });
  expect(await effective({ status: 200, body: kept })).toBe(true);
  const { rows } = await query(
    `SELECT detail FROM audit_events WHERE event = 'authority_history_replaced' ORDER BY at DESC LIMIT 2`,
  );
  expect(rows.filter(({ detail }) => detail.first === true)).toHaveLength(1);
});

const logout = async (user: SignedIn) => {
  const response = await fetch(`${bases()[0]!}/v1/auth/logout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  return { status: response.status, body: await response.json() };
};

/** Follows a pending receipt for as long as it may take. */
async function effective({ status, body }: { status: number; body: any }): Promise<boolean> {
  expect(status).toBe(200);
  const deadlineMs = performance.now() + 3 * LEASE_MS;
  for (
    let receipt = body;
    ;
    receipt = (await call(bases()[0]!, `/v1/receipts/${body.id}`, { token: world.operator() })).body
  ) {
    if (receipt.effective === true || performance.now() > deadlineMs) return receipt.effective;
    await delay(100);
  }
}

async function closedOnBoth(clients: RawClient[]): Promise<void> {
  for (const client of clients)
    expect(await client.closed).toMatchObject({ code: 1008, reason: { code: 'session_revoked' } });
}
