/**
 * Heads of the audit are sealed and kept by every node: a cut is found from another node's witness,
 * and a forged head by nobody.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AuditPruner } from '../../src/audit/audit-pruner.js';
import { headSeal, auditKey } from '../../src/audit/audit-hash.js';
import { Config } from '../../src/platform/config/config.js';
import { migratedDatabase, startCluster } from '../support/node-process.js';
import { query } from '../support/sql.js';
import { Auditor, SECRET_KEY, truncations } from './auditor.js';
import { cutTail, verify } from './verify-cli.js';

let url: string;
/** Two nodes; `a` has written six records. */
let a: Auditor;
let b: Auditor;
let chain: string;
const more: Auditor[] = [];

beforeEach(async () => {
  url = await migratedDatabase();
  [a, b] = [new Auditor(url), new Auditor(url)];
  chain = a.identity.id;
  await a.batch(6);
  await b.batch(1);
});
afterEach(() => Promise.all([a, b, ...more.splice(0)].map((node) => node.stop())));

async function saidBy(node: Auditor) {
  await node.trail.flush();
  return (await truncations(url))
    .filter((said) => said.node === node.trail.own.id)
    .map(({ detail }) => detail);
}

const missing = (from: number, to: number, by: string) =>
  `chain ${chain}: records ${from} to ${to} are missing at the end; ${by} named it`;
const witnesses = () =>
  query<{ witness: string; n: string }>(
    url,
    'SELECT witness, n FROM audit_heads WHERE chain = $1 ORDER BY witness',
    [chain],
  );

describe('a chain whose node is gone', () => {
  test('is whole when nothing happened to it, seen by every witness', async () => {
    for (const node of [a, b, a]) await node.witness.round();
    expect(await witnesses()).toEqual(
      [a, b]
        .map(({ identity }) => ({ witness: identity.id, n: '6' }))
        .sort((x, y) => (x.witness < y.witness ? -1 : 1)),
    );
    expect(await verify(url, SECRET_KEY)).toEqual({
      code: 0,
      out: '7 records in 2 chains: whole.\n',
      findings: [],
    });
    expect([await saidBy(a), await saidBy(b)]).toEqual([[], []]);
  });

  test('verify finds its cut tail from the witness of another node alone', async () => {
    await b.witness.round();
    await cutTail(url, chain);
    expect(await verify(url, SECRET_KEY)).toMatchObject({
      code: 1,
      findings: [missing(4, 6, `witness ${b.identity.id}`)],
    });
  });

  test('verify finds that it is gone altogether', async () => {
    await b.witness.round();
    await query(
      url,
      `DELETE FROM audit_events WHERE node = '${chain}'; DELETE FROM audit_chains WHERE node = '${chain}'`,
    );
    const { findings } = await verify(url, SECRET_KEY);
    expect(findings).toEqual([
      `chain ${chain}: is gone, records 1 to 6 are missing; witness ${b.identity.id} named it`,
    ]);
  });

  test.each([
    ['deleted', 'DELETE FROM audit_heads'],
    [
      'put back to former ones',
      'DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM former',
    ],
  ])(
    'the node that saw it says so within its next round, also when the sealed heads were %s',
    async (_how, sql) => {
      await b.witness.round();
      await query(url, 'CREATE TABLE former AS TABLE audit_heads');
      await a.batch(3);
      await b.witness.round();
      await cutTail(url, chain, 3);
      await query(url, sql);
      for (let i = 0; i < 3; i += 1) await b.witness.round();
      expect(await saidBy(b)).toEqual([{ chain, from: 7, to: 9, by: 'witness' }]);
      expect(await b.counted()).toBe(1);
      expect((await verify(url, SECRET_KEY)).findings).toEqual([
        missing(7, 9, `witness ${b.identity.id}`),
      ]);
      // From then on by that record, too.
      await query(url, 'DELETE FROM audit_heads');
      expect((await verify(url, SECRET_KEY)).findings).toEqual([
        missing(7, 9, `record 2 of chain ${b.identity.id}`),
      ]);
    },
  );

  test('a node that starts learns from the seals of others what was cut while nobody ran, and says it once', async () => {
    await b.witness.round();
    await cutTail(url, chain);
    for (const expected of [[{ chain, from: 4, to: 6, by: 'witness' }], []]) {
      const next = new Auditor(url);
      more.push(next);
      for (let i = 0; i < 2; i += 1) await next.witness.round();
      expect(await saidBy(next)).toEqual(expected);
    }
  });
});

test('a node that writes nothing notices with its own round, and goes on in a new chain', async () => {
  await a.witness.round();
  await cutTail(url, chain);
  await a.witness.round();
  expect(await saidBy(a)).toEqual([{ chain, from: 4, to: 6, by: 'witness' }]);
  expect(a.trail.own.id).not.toBe(chain);
});

describe('a forged head', () => {
  const forge = (
    n: number,
    seal: Buffer,
    witness = a.identity.id,
    keyId = auditKey(SECRET_KEY).id,
  ) =>
    query(
      url,
      `INSERT INTO audit_heads (chain, witness, n, hash, key_id, seal) VALUES ($1, $2, $3, sha256('x'), $4, $5)
       ON CONFLICT (chain, witness) DO UPDATE SET n = excluded.n, hash = excluded.hash, seal = excluded.seal`,
      [chain, witness, n, keyId, seal],
    );
  const head = (n: bigint) => ({ n, hash: Buffer.alloc(32) });

  test.each<[string, () => Buffer]>([
    ['of nothing', () => Buffer.alloc(32)],
    ['of another key', () => headSeal(auditKey('y'.repeat(32)), a.identity.id, chain, head(60n))],
    ['of another witness', () => headSeal(auditKey(SECRET_KEY), b.identity.id, chain, head(60n))],
    ['of another head', () => headSeal(auditKey(SECRET_KEY), a.identity.id, chain, head(6n))],
  ])(
    'with a seal %s is believed by no node, and verify says that it is forged',
    async (_of, seal) => {
      await forge(60, seal());
      await b.witness.round();
      await b.witness.round();
      expect(await saidBy(b)).toEqual([]);
      expect(await verify(url, SECRET_KEY)).toMatchObject({
        code: 1,
        findings: [`chain ${chain}: its head by witness ${a.identity.id} is forged`],
      });
    },
  );

  test('in place of its own is replaced by a node with the next round', async () => {
    await b.witness.round();
    await forge(60, Buffer.alloc(32), b.identity.id);
    await b.witness.round();
    expect(await verify(url, SECRET_KEY)).toMatchObject({ code: 0 });
  });

  test('in the row of the chain is not sealed by anybody: its last record does not prove it', async () => {
    await query(
      url,
      `INSERT INTO audit_events SELECT gen_random_uuid(), node, 7, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail, sha256(hash)
       FROM audit_events WHERE node = '${chain}' AND n = 6;
       UPDATE audit_chains SET n = 7, hash = (SELECT hash FROM audit_events e WHERE e.node = '${chain}' AND e.n = 7) WHERE node = '${chain}'`,
    );
    await b.witness.round();
    expect(await witnesses()).toEqual([]);
    await query(url, `DELETE FROM audit_events WHERE node = '${chain}' AND n = 7`);
    await b.witness.round();
    expect(await saidBy(b)).toEqual([]);
  });

  test('under a key that verify was not given is named', async () => {
    await forge(60, Buffer.alloc(32), a.identity.id, 'f'.repeat(16));
    expect((await verify(url, SECRET_KEY)).findings).toEqual([
      `chain ${chain}: its head by witness ${a.identity.id} was sealed under a SECRET_KEY that was not given`,
    ]);
  });
});

test('the retention is no cut, and takes the heads with it', async () => {
  for (const node of [a, b]) await node.witness.round();
  const config = Config.parse({ DATABASE_URL: url, REDIS_URL: 'redis://unused', SECRET_KEY });
  await new AuditPruner(config, b.database, b.trail).prune(new Date(Date.now() + 60_000));
  expect(await witnesses()).toEqual([]);
  for (const node of [a, b]) await node.witness.round();
  await a.batch(1);
  expect([await saidBy(a), await saidBy(b)]).toEqual([[], []]);
  expect(await verify(url, SECRET_KEY)).toMatchObject({ code: 0 });
});

test('rows of witnesses that are gone are deleted after a day, once another node keeps the same', async () => {
  await a.witness.round();
  await query(url, `UPDATE audit_heads SET at = at - interval '25 hours'`);
  await b.witness.round();
  expect(await witnesses()).toEqual([{ witness: b.identity.id, n: '6' }]);
});

test('nodes that start, run and stop keep each other: the last record of each is sealed, and everything is whole', async () => {
  const cluster = await startCluster(2, { SECRET_KEY });
  const { databaseUrl } = cluster;
  await cluster.stop();
  const unsealed = await query(
    databaseUrl,
    'SELECT c.node FROM audit_chains c LEFT JOIN audit_heads h ON h.chain = c.node AND h.n = c.n WHERE h.n IS NULL',
  );
  expect(unsealed).toEqual([]);
  const ends = await query<{ event: string }>(
    databaseUrl,
    'SELECT e.event FROM audit_chains c JOIN audit_events e ON e.node = c.node AND e.n = c.n',
  );
  expect(ends).toEqual([{ event: 'sys_shutdown' }, { event: 'sys_shutdown' }]);
  expect(await verify(databaseUrl, SECRET_KEY)).toMatchObject({ code: 0, findings: [] });
}, 60_000);
