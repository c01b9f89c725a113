/**
 * A look at data of users is in the audit (contract section 10): every GET under /v1/admin records
 * one, or stands below with the reason why it need not.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { CALL_BUDGETS } from '../../src/budgets/budgets.js';
import { eventually, live } from '../protocol/harness.js';
import { query } from '../support/sql.js';
import { World, call, nodeA, nodeB, unique, wsUrl } from '../support/world.js';

const WITHOUT_A_LOOK: Record<string, string> = {
  '/v1/admin/audit/verify': 'counts of records, and places in chains',
  '/v1/admin/config': 'variables of a node; secrets are not shown',
  '/v1/admin/keys': 'public keys',
  '/v1/admin/nodes': 'machines',
  '/v1/admin/review': 'counts, and clients under a keyed hash',
  '/v1/admin/stats': 'counts',
  '/v1/admin/tenants': 'names and settings of tenants',
};
const READS = OPERATIONS.filter(
  ({ method, path }) => method === 'get' && path.startsWith('/v1/admin/'),
).map(({ path }) => path);
const LOOKS = READS.filter((path) => !Object.hasOwn(WITHOUT_A_LOOK, path));

/** A look at something else than the others. */
const FENCE = 'fence';
/** Paths with their parameters and the query that they need. */
const values: Record<string, string> = {};
let auditor: { id: string; token: string };

beforeAll(async () => {
  const world = await World.create();
  const ben = await world.user('ben');
  const room = await world.room(ben);
  const [open, ended] = [
    await live(wsUrl(nodeA()), ben.token),
    await live(wsUrl(nodeB()), ben.token),
  ];
  const idOf = (client: typeof open): string => client.frames[0].connection_id;
  ended.close();
  const refused = await call(nodeA(), '/v1/admin/tenants', { token: ben.token, expect: 403 });
  Object.assign(values, {
    '/v1/admin/connections/{id}': `/v1/admin/connections/${idOf(open)}`,
    '/v1/admin/closes/{close_id}': `/v1/admin/closes/${idOf(ended)}`,
    '/v1/admin/decisions/{id}': `/v1/admin/decisions/${refused.body.decision_id}`,
    '/v1/admin/explain': `/v1/admin/explain?user=${ben.id}&room=${room}&action=read`,
    '/v1/admin/review': '/v1/admin/review?month=2026-01',
    '/v1/admin/stats': '/v1/admin/stats?range=1h',
    [FENCE]: `/v1/admin/sessions?user=${ben.id}`,
  });
  for (const path of READS) values[path] ??= path.replace('{tenant}', world.tenant.id);
  await eventually(
    () =>
      call(nodeA(), `/v1/admin/closes/${idOf(ended)}`, { token: world.operator() }).catch(
        () => null,
      ),
    (found) => found !== null,
    'the end of the connection',
  );
  const person = { email: `${unique('auditor')}@example.com`, password: 'a long password' };
  const made = await call(nodeA(), '/v1/admin/tenants/system/users', {
    token: world.operator(),
    body: { ...person, name: 'auditor', role: 'auditor' },
  });
  const { body } = await call(nodeA(), '/v1/auth/login', { body: { tenant: 'system', ...person } });
  auditor = { id: made.body.id, token: body.access_token };
});

/** Answers with the id of the request. */
async function read(path: string): Promise<string> {
  const answer = await fetch(nodeA() + values[path], {
    headers: { authorization: `Bearer ${auditor.token}` },
  });
  await answer.arrayBuffer();
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.headers.get('x-request-id')!;
}

const looksOf = (request: string): Promise<any[]> =>
  query(
    process.env['TEST_CLUSTER_DATABASE_URL']!,
    `SELECT actor_id, detail FROM audit_events
     WHERE event = 'data_read' AND request_id = '${request}' AND actor_id = '${auditor.id}'`,
  );

describe('a look at data of users', () => {
  test.each(LOOKS)('is recorded: GET %s', async (path) => {
    const request = await read(path);
    const [look] = await eventually(
      () => looksOf(request),
      (found) => found.length > 0,
      `the record of the look: ${path}`,
    );
    expect(look.detail).toMatchObject({ what: expect.any(String) });
  });

  test('is no reading of what names nobody', async () => {
    const requests = await Promise.all(Object.keys(WITHOUT_A_LOOK).map((path) => read(path)));
    // written after theirs would have been
    const fence = await read(FENCE);
    await eventually(
      () => looksOf(fence),
      (found) => found.length > 0,
      'the record of the look',
    );
    const recorded = await Promise.all(requests.map(looksOf));
    expect(recorded.flat()).toEqual([]);
  });
});

test('the table of budgets says of each whether it records one', () => {
  expect(READS.length).toBeGreaterThan(15);
  const saying = READS.filter((path) => CALL_BUDGETS[`get ${path}`]!.rows === '1 audit record');
  expect(saying.sort()).toEqual([...LOOKS].sort());
  expect(READS).toEqual(expect.arrayContaining(Object.keys(WITHOUT_A_LOOK)));
});
