/**
 * T7: a node whose own chain was cut in Postgres notices at its next append, says so once, and goes
 * on in a new chain.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { keepTables } from '../faults/rewind.js';
import { eventually } from '../support/eventually.js';
import { migratedDatabase, startCluster } from '../support/node-process.js';
import { World } from '../support/world.js';
import { query } from '../support/sql.js';
import { Auditor, SECRET_KEY, truncations } from './auditor.js';
import { cutTail, verify } from './verify-cli.js';

describe('a node that runs', () => {
  test('notices that three records and its head were cut, serves on, and verify says what is missing', async () => {
    const { nodes, databaseUrl } = await startCluster(1, { SECRET_KEY });
    const [node] = nodes as [(typeof nodes)[0]];
    const world = await World.create({ base: node.url });
    const user = await world.user('u');
    await Promise.all(Array.from({ length: 5 }, () => world.login(user)));
    const [{ chain }] = (await query<{ chain: string }>(
      databaseUrl,
      'SELECT node AS chain FROM audit_chains',
    )) as [{ chain: string }];
    const { from, to } = await cutTail(databaseUrl, chain);
    await world.login(user);
    await eventually(
      'the cut is in the audit',
      async () => (await truncations(databaseUrl)).length > 0,
    );
    const [truncation, ...more] = await truncations(databaseUrl);
    expect(truncation).toEqual({
      node: expect.not.stringMatching(chain),
      detail: { chain, from, to, by: 'writer' },
    });
    await world.login(user);
    expect(more).toEqual([]);
    expect(await (await fetch(`${node.internalUrl}/metrics`)).text()).toMatch(
      /^wardroom_audit_truncated_total 1$/m,
    );
    const errors = node
      .logs()
      .split('\n')
      .filter((line) => line.includes('the audit was cut'));
    expect(errors.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'error', chain, from, to }),
    ]);
    const { code, findings } = await verify(databaseUrl, SECRET_KEY);
    expect(code).toBe(1);
    expect(findings).toEqual([
      expect.stringMatching(
        new RegExp(
          `^chain ${chain}: records ${from} to ${to} are missing at the end; .+ named it$`,
        ),
      ),
    ]);
  }, 60_000);
});

let auditor: Auditor;
let url: string;
let chain: string;

beforeEach(async () => {
  url = await migratedDatabase();
  auditor = new Auditor(url);
  chain = auditor.identity.id;
  await auditor.batch(5);
  await auditor.change();
});
afterEach(() => auditor.stop());

/** The record of a cut waits in memory for the next batch. */
async function said() {
  await auditor.trail.flush();
  return (await truncations(url)).map(({ detail }) => detail);
}

describe('the next append', () => {
  test.each<[string, number, () => Promise<unknown>]>([
    ['of a batch', 1, () => auditor.batch(1)],
    ['of a transaction', 1, () => auditor.change()],
    ['of many at once', 8, () => auditor.changeTogether(8)],
  ])('%s notices, says it once, and loses nothing', async (_what, records, append) => {
    await cutTail(url, chain);
    await append();
    expect(await said()).toEqual([{ chain, from: 4, to: 6, by: 'writer' }]);
    expect(await auditor.counted()).toBe(1);
    await auditor.batch(1);
    await auditor.change();
    expect(await said()).toHaveLength(1);
    const [old, ...others] = await query<{ node: string; n: number }>(
      url,
      'SELECT node, n::integer FROM audit_chains ORDER BY node',
    );
    expect(old).toEqual({ node: chain, n: 3 });
    // The appended record, the record of the cut, and the two after it.
    expect(others).toEqual([{ node: auditor.trail.own.id, n: records + 3 }]);
  });

  test.each<[string, string, { from: number; to: number }]>([
    ['records alone are gone', `DELETE FROM audit_events WHERE n > 4`, { from: 5, to: 6 }],
    ['the head alone was set back', `UPDATE audit_chains SET n = 4`, { from: 5, to: 6 }],
    [
      'the whole chain is gone',
      `DELETE FROM audit_events; DELETE FROM audit_chains`,
      { from: 1, to: 6 },
    ],
    [
      'the last record is another',
      `UPDATE audit_events SET hash = sha256(hash) WHERE n = 6`,
      { from: 6, to: 6 },
    ],
    [
      'the head has another hash',
      `UPDATE audit_chains SET hash = sha256(hash)`,
      { from: 6, to: 6 },
    ],
  ])('notices when %s', async (_what, sql, range) => {
    await query(url, sql);
    await auditor.change();
    expect(await said()).toEqual([{ chain, ...range, by: 'writer' }]);
    const { code, findings } = await verify(url, SECRET_KEY);
    expect({
      code,
      chains: new Set(findings.map((line) => line.slice(0, line.indexOf(':')))),
    }).toEqual({ code: 1, chains: new Set([`chain ${chain}`]) });
  });

  test('notices when the whole database was stepped back, and verify names what is lost', async () => {
    const back = await keepTables(url);
    await auditor.batch(4);
    await back();
    await auditor.change();
    expect(await said()).toEqual([{ chain, from: 7, to: 10, by: 'writer' }]);
    const { findings } = await verify(url, SECRET_KEY);
    expect(findings).toEqual([
      expect.stringMatching(
        new RegExp(
          `^chain ${chain}: records 7 to 10 are missing at the end; record \\d of chain .+ named it$`,
        ),
      ),
    ]);
  });

  test('does not take what was rolled back for a cut', async () => {
    const refuse = () => {
      throw new Error('rolled back');
    };
    await expect(auditor.change(refuse)).rejects.toThrow('rolled back');
    await auditor.batch(1);
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        auditor.change(i % 2 === 0 ? refuse : undefined).catch(() => undefined),
      ),
    );
    await auditor.change();
    expect(await said()).toEqual([]);
    expect(await verify(url, SECRET_KEY)).toMatchObject({ code: 0, findings: [] });
  });

  test('does not take the retention for a cut', async () => {
    await query(url, `UPDATE audit_chains SET pruned = n, pruned_hash = hash`);
    await query(url, `DELETE FROM audit_events`);
    await auditor.change();
    expect(await said()).toEqual([]);
  });

  test('of a node of the version before, which knows of no head, is taken as it was', async () => {
    const append = () =>
      query<{ head: string }>(url, `SELECT append_audit('${chain}', 'key', '[]') AS head`);
    const { n, hash } = auditor.trail.own.head;
    expect(await append()).toEqual([{ head: `${n}:${hash.toString('hex')}` }]);
    await cutTail(url, chain);
    expect(await append()).toEqual([{ head: expect.stringMatching(/^3:[0-9a-f]{64}$/) }]);
  });

  test('costs no statement more: an append is one, alone or in its transaction', async () => {
    const statements: string[] = [];
    const query = Object.getOwnPropertyDescriptor(pg.Client.prototype, 'query')!;
    const listen = function (this: pg.Client, ...args: unknown[]): unknown {
      const [asked] = args as [string | { text: string }];
      statements.push(typeof asked === 'string' ? asked : asked.text);
      return (query.value as (...args: unknown[]) => unknown).apply(this, args);
    };
    Object.defineProperty(pg.Client.prototype, 'query', { ...query, value: listen });
    try {
      await auditor.batch(3);
      const batch = statements.splice(0);
      await auditor.change();
      const change = statements
        .splice(0)
        .filter((text) => !/^\s*(BEGIN|COMMIT|SET TRANSACTION)\b/.test(text));
      expect([batch, change]).toEqual([
        [expect.stringContaining('append_audit')],
        [expect.stringContaining('append_audit')],
      ]);
    } finally {
      Object.defineProperty(pg.Client.prototype, 'query', query);
    }
  });
});
