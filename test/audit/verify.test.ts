/**
 * Issue 4: `npm run audit -- verify` finds an altered or missing row; a node that crashed leaves a
 * chain that is whole.
 */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { AuditPruner } from '../../src/audit/audit-pruner.js';
import { auditKey } from '../../src/audit/audit-hash.js';
import type { AuditTrail } from '../../src/audit/audit-trail.js';
import { verifySpan } from '../../src/audit/verify-audit.js';
import type { Place, SpanVerdict } from '../../src/audit/verify-audit.js';
import { Config } from '../../src/platform/config/config.js';
import { Database } from '../../src/platform/stores/database.js';
import { startCluster, startNode } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, unique, wsUrl } from '../support/world.js';
import { query, withPostgres } from '../support/sql.js';
import { verify as verifyWith } from './verify-cli.js';

const SECRET_KEY = randomBytes(32).toString('base64url');

/**
 * The database of a cluster that has been through logins, a crash, a restart and a clean stop.
 * Nobody is connected to it.
 */
let original: string;
/** Of the node that crashed, and of the one that was started after it. */
let crashed: string;
let last: string;
let tenant: string;

beforeAll(async () => {
  const cluster = await startCluster(2, { SECRET_KEY });
  const [a, b] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
  const world = await World.create({ base: a.url });
  tenant = world.tenant.slug;
  const user = await world.user('u');
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => world.login(user, i % 2 === 0 ? a.url : b.url)),
  );
  const socket = await RawClient.live(wsUrl(b.url), user.token);
  // In the middle of whatever it is doing.
  const logins = Array.from({ length: 10 }, () => world.login(user, b.url).catch(() => undefined));
  await call(a.url, '/v1/me', { token: user.token });
  b.kill('SIGKILL');
  await Promise.all([b.ended, socket.closed, ...logins]);
  const c = await startNode(cluster.env);
  await world.login(user, c.url);
  await Promise.all([a.stop(), c.stop()]);
  original = cluster.databaseUrl;
  const chains = await query<{ node: string; n: string; over: boolean }>(
    original,
    `SELECT c.node, c.n, EXISTS (SELECT 1 FROM audit_events e WHERE e.node = c.node AND e.event = 'sys_shutdown') AS over FROM audit_chains c ORDER BY c.node`,
  );
  crashed = chains.find(({ over }) => !over)!.node;
  last = chains.at(-1)!.node;
}, 60_000);

const verify = (databaseUrl: string, args: string[] = [], secretKey = SECRET_KEY) =>
  verifyWith(databaseUrl, secretKey, args);

/** A copy of the original with somebody's work on it. */
async function tampered(...work: string[]): Promise<string> {
  const url = new URL(original);
  const from = url.pathname.slice(1);
  const to = `${process.env['TEST_RUN']}_${unique('audit').replaceAll('-', '_')}`;
  await query(
    process.env['TEST_DATABASE_URL']!,
    `CREATE DATABASE ${pg.escapeIdentifier(to)} TEMPLATE ${pg.escapeIdentifier(from)}`,
  );
  url.pathname = `/${to}`;
  for (const sql of work) await query(url.href, sql);
  return url.href;
}

/** The findings of a reading in spans of a few records, as a node does it. */
async function foundInSpans(url: string): Promise<string[]> {
  const keys = [auditKey(SECRET_KEY)];
  return withPostgres(url, async (client) => {
    const findings: string[] = [];
    for (let after: Place | null = null; ;) {
      const span: SpanVerdict = await verifySpan(client, keys, { after, recordsMax: 7 });
      findings.push(...span.findings);
      expect(span.records).toBeLessThanOrEqual(7);
      if (span.next === null) return findings;
      after = span.next;
    }
  });
}

const found = async (...work: string[]) => {
  const url = await tampered(...work);
  const { code, findings } = await verify(url);
  expect(code).toBe(1);
  expect(await foundInSpans(url)).toEqual(expect.arrayContaining(findings));
  return findings.map((line) => line.replace(/^chain [0-9a-f-]{36}: /, ''));
};

/** Without what anchors say of the same records. */
const foundInChains = async (...work: string[]) => {
  const findings = await found(...work);
  return findings.filter((line) => !line.endsWith(' named it'));
};

describe('audit verify', () => {
  test('finds everything whole, also the chain of a node that crashed', async () => {
    const { code, out, findings } = await verify(original);
    expect(findings).toEqual([]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+ records in 3 chains: whole\.\n$/);
    const [{ count }] = (await query<{ count: string }>(
      original,
      `SELECT count(*) FROM audit_events WHERE node = '${crashed}'`,
    )) as [{ count: string }];
    expect(Number(count)).toBeGreaterThan(10);
    expect(await foundInSpans(original)).toEqual([]);
  });

  test('finds a record of which anything was altered', async () => {
    const altered = {
      event: `'authn_login_fail'`,
      at: `at - interval '1 millisecond'`,
      tenant_id: 'gen_random_uuid()',
      actor_id: 'gen_random_uuid()',
      user_id: 'gen_random_uuid()',
      session_hash: `coalesce(session_hash, '') || '0'`,
      ip: `'127.0.0.2'`,
      request_id: 'gen_random_uuid()',
      detail: `detail || '{"method":"other"}'`,
      id: 'gen_random_uuid()',
    };
    const findings = await foundInChains(
      ...Object.entries(altered).map(
        ([column, value], i) =>
          `UPDATE audit_events SET ${column} = ${value} WHERE node = '${crashed}' AND n = ${i + 2}`,
      ),
    );
    expect(findings).toEqual(
      Object.keys(altered).map((_, i) =>
        expect.stringMatching(new RegExp(`^record ${i + 2} \\(\\w+\\) was altered$`)),
      ),
    );
  });

  test('finds a record whose hash was altered with it', async () => {
    expect(
      await found(
        `UPDATE audit_events SET event = 'user_updated', hash = sha256(hash) WHERE node = '${crashed}' AND n = 5`,
      ),
    ).toContain('record 5 (user_updated) was altered');
  });

  test('finds deleted records', async () => {
    expect(
      await foundInChains(`DELETE FROM audit_events WHERE node = '${crashed}' AND n = 4`),
    ).toEqual(['record 4 is missing']);
    const more = `DELETE FROM audit_events WHERE node = '${crashed}' AND n IN (1, 2, 4, 5, 6, 9)`;
    expect(await foundInChains(more)).toEqual([
      'records 1 to 2 are missing',
      'records 4 to 6 are missing',
      'record 9 is missing',
    ]);
  });

  test('finds a deleted record whose gap was closed', async () => {
    expect(
      await found(
        `DELETE FROM audit_events WHERE node = '${crashed}' AND n = 4`,
        `UPDATE audit_events SET n = -n + 1 WHERE node = '${crashed}' AND n > 4`,
        `UPDATE audit_events SET n = -n WHERE node = '${crashed}' AND n < 0`,
        `UPDATE audit_chains SET n = n - 1 WHERE node = '${crashed}'`,
      ),
    ).toContainEqual(expect.stringMatching(/^record 4 \(\w+\) was altered$/));
  });

  test('finds a chain that was cut at its end', async () => {
    const cut = `DELETE FROM audit_events e USING audit_chains c WHERE c.node = e.node AND e.node = '${crashed}' AND e.n > c.n - 3`;
    expect(await found(cut)).toContainEqual(
      expect.stringMatching(/^records \d+ to \d+ are missing at the end$/),
    );
    const hidden = `UPDATE audit_chains c SET n = e.n, hash = e.hash FROM audit_events e
      WHERE c.node = '${crashed}' AND e.node = c.node AND e.n = (SELECT max(n) FROM audit_events WHERE node = c.node)`;
    // Sealed by a witness; and the node that started after the crash had written down where the
    // chain stood.
    const by = (who: string) => [
      expect.stringMatching(
        new RegExp(`^records \\d+ to \\d+ are missing at the end; ${who} named it$`),
      ),
    ];
    expect(await found(cut, hidden)).toEqual(by('.+'));
    expect(await found(cut, hidden, 'DELETE FROM audit_heads')).toEqual(
      by('record \\d+ of chain [0-9a-f-]+'),
    );
  });

  test('finds a chain that was cut at its end behind every anchor, when it is told the head from the log', async () => {
    const [head] = (await query<{ n: string; hash: string }>(
      original,
      `SELECT n, encode(hash, 'hex') AS hash FROM audit_chains WHERE node = '${last}'`,
    )) as [{ n: string; hash: string }];
    const url = await tampered(
      `DELETE FROM audit_events WHERE node = '${last}' AND n = ${head.n}`,
      `UPDATE audit_chains c SET n = e.n, hash = e.hash FROM audit_events e WHERE c.node = '${last}' AND e.node = c.node AND e.n = ${head.n} - 1`,
      'DELETE FROM audit_heads',
    );
    // The rest is whole by itself: without the anchor nobody could know.
    expect((await verify(url)).code).toBe(0);
    const { code, findings } = await verify(url, ['--anchor', `${last}:${head.n}:${head.hash}`]);
    expect(code).toBe(1);
    expect(findings).toEqual([
      `chain ${last}: record ${head.n} is missing at the end; the anchor named it`,
    ]);
  });

  test('finds a whole chain that is gone', async () => {
    expect(await found(`DELETE FROM audit_chains WHERE node = '${crashed}'`)).toContainEqual(
      expect.stringMatching(/^is gone, but \d+ records of it are not$/),
    );
    expect(
      await found(
        `DELETE FROM audit_events WHERE node = '${crashed}'`,
        `DELETE FROM audit_chains WHERE node = '${crashed}'`,
      ),
    ).toContainEqual(expect.stringMatching(/^is gone, records 1 to \d+ are missing; .+ named it$/));
  });

  test('finds records that changed places', async () => {
    const swap = (from: number, to: number) =>
      `UPDATE audit_events SET n = ${to} WHERE node = '${crashed}' AND n = ${from}`;
    const findings = await found(swap(4, 1000), swap(5, 4), swap(1000, 5));
    for (const n of [4, 5])
      expect(findings).toContainEqual(
        expect.stringMatching(new RegExp(`^record ${n} \\(\\w+\\) was altered$`)),
      );
  });

  test('finds a record that was added, or came from another chain', async () => {
    const copy = `INSERT INTO audit_events SELECT gen_random_uuid(), '${crashed}', c.n + 1, e.at, e.event, e.tenant_id, e.actor_id, e.user_id, e.session_hash, e.ip,
      e.request_id, e.detail, e.hash FROM audit_events e, audit_chains c WHERE e.node = '${last}' AND e.n = 2 AND c.node = '${crashed}'`;
    expect(await found(copy)).toContainEqual(
      expect.stringMatching(/^record \d+ is behind the head$/),
    );
    expect(
      await found(
        copy,
        `UPDATE audit_chains c SET n = n + 1, hash = (SELECT hash FROM audit_events e WHERE e.node = c.node AND e.n = c.n + 1) WHERE node = '${crashed}'`,
      ),
    ).toEqual([expect.stringMatching(/^record \d+ \(\w+\) was altered$/)]);
  });

  test('finds a beginning that was cut as if by the retention', async () => {
    expect(
      await found(
        `DELETE FROM audit_events WHERE node = '${crashed}' AND n < 4`,
        `UPDATE audit_chains c SET pruned = 3, pruned_hash = sha256(hash), pruned_seal = sha256(hash) WHERE node = '${crashed}'`,
      ),
    ).toContain('its beginning was moved to 3, and not by the retention');
  });

  test('asks for the SECRET_KEY that records were written under', async () => {
    const { code, findings } = await verify(original, [], 'x'.repeat(32));
    expect(code).toBe(1);
    const [{ heads }] = (await query<{ heads: number }>(
      original,
      'SELECT count(*)::integer AS heads FROM audit_heads',
    )) as [{ heads: number }];
    expect(findings).toHaveLength(3 + heads);
    for (const finding of findings)
      expect(finding).toContain('under a SECRET_KEY that was not given');
    expect((await verify(original, [], `${'x'.repeat(32)},${SECRET_KEY}`)).code).toBe(0);
  });

  test('reads the chains of one tenant when asked', async () => {
    expect((await verify(original, ['--tenant', tenant])).out).toMatch(
      /^\d+ records in 3 chains: whole/,
    );
    expect(await verify(original, ['--tenant', unique('no')])).toMatchObject({ code: 2 });
  });
});

describe('the retention', () => {
  test('takes the beginning of every chain, and what is left is whole', async () => {
    const url = await tampered(`UPDATE audit_chains SET started_at = started_at`);
    const config = Config.parse({
      DATABASE_URL: url,
      REDIS_URL: 'redis://unused',
      SECRET_KEY: `${'n'.repeat(32)},${SECRET_KEY}`,
    });
    const database = new Database(config);
    const told: unknown[] = [];
    const pruner = new AuditPruner(config, database, {
      note: (note: unknown) => told.push(note),
    } as unknown as AuditTrail);
    const [middle] = (await query<{ at: Date }>(
      url,
      `SELECT at FROM audit_events WHERE node = '${crashed}' AND n = 10`,
    )) as [{ at: Date }];
    const before = await query<{ count: string }>(url, `SELECT count(*) FROM audit_events`);
    const gone = await pruner.prune(middle.at);
    expect(gone).toBeGreaterThan(0);
    expect(told).toContainEqual({
      event: 'audit_pruned',
      detail: { chain: crashed, records: expect.any(Number) },
    });
    const after = await query<{ count: string }>(url, `SELECT count(*) FROM audit_events`);
    expect(Number(before[0]!.count) - Number(after[0]!.count)).toBe(gone);
    const verdict = await verify(url, [], `${'n'.repeat(32)},${SECRET_KEY}`);
    expect(verdict.findings).toEqual([]);
    expect(await pruner.prune(new Date(Date.now() + 60_000))).toBe(Number(after[0]!.count));
    expect(await verify(url, [], `${'n'.repeat(32)},${SECRET_KEY}`)).toMatchObject({
      code: 0,
      out: '0 records in 3 chains: whole.\n',
    });
    await database.onApplicationShutdown();
  });
});
