/**
 * Why did it close? The `close_id` of a frame, a close reason or a log line is explained by any
 * node, also after the node that had the connection has stopped.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CloseCode } from '@wardroom/protocol';
import { badToken, eventually, expectAnswer, live, open } from '../protocol/harness.js';
import { startCluster } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import type { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

/** Of a user; the operator of this file signs in less often. */
const SESSIONS = 8;

let here: NodeProcess;
let there: NodeProcess;
let world: World;

beforeAll(async () => {
  const env = {
    AUTH_DEADLINE_MS: '1000',
    MAX_SESSIONS_PER_USER: `${SESSIONS}`,
    CALL_RATE: '0',
    LOG_LEVEL: 'info',
  };
  [here, there] = (await startCluster(2, env)).nodes as [NodeProcess, NodeProcess];
  world = await World.create({ base: there.url });
});

/** Null while the answer is a refusal: not there yet, or asked too often. */
const read = async (path: string, token = world.operator()): Promise<any> => {
  try {
    return (await call(there.url, path, { token })).body;
  } catch {
    return null;
  }
};

/** As soon as its row is written. */
const explained = (id: string, token?: string): Promise<any> =>
  eventually(
    () => read(`/v1/admin/closes/${id}`, token),
    (close) => close !== null,
    'an explanation',
  );

const post = (path: string, token: string, body: unknown = {}) =>
  call(there.url, path, { token, body });
const patch = (path: string, body: unknown) =>
  call(there.url, path, { token: world.operator(), method: 'PATCH', body });

type Ending = (ben: SignedIn, client: RawClient) => unknown;

describe('an end of a connection with a session', () => {
  test.each<[string, { code: CloseCode; reason?: string; sentence: string }, Ending]>([
    [
      'logout',
      { code: 'session_revoked', reason: 'logout', sentence: 'signed out of its session, by the' },
      (ben) => post('/v1/auth/logout', ben.token),
    ],
    [
      'revocation by an operator',
      {
        code: 'session_revoked',
        reason: 'revoked',
        sentence: 'its session was revoked, by somebody else',
      },
      (ben) =>
        post('/v1/admin/revocations', world.operator(), { session: ben.session, reason: 'stolen' }),
    ],
    [
      'a newer session',
      { code: 'session_revoked', reason: 'quota', sentence: 'made room for a newer one' },
      async (ben) => {
        for (let i = 0; i < SESSIONS; i += 1) await world.login(ben);
      },
    ],
    [
      'a refresh token that came twice',
      { code: 'token_reuse', reason: 'token_reuse', sentence: 'was used twice' },
      async (ben) => {
        const refresh = (token: string) =>
          call(there.url, '/v1/auth/refresh', { body: { refresh_token: token } });
        const next = (await refresh(ben.refresh)).body.refresh_token;
        await refresh(next);
        await refresh(ben.refresh).catch(() => undefined);
      },
    ],
    [
      'suspension',
      { code: 'user_suspended', reason: 'user_suspended', sentence: 'the user was suspended' },
      (ben) => patch(`/v1/admin/users/${ben.id}`, { state: 'suspended' }),
    ],
    [
      'a binary frame',
      { code: 'unsupported_data', sentence: 'only text frames' },
      (_, client) => client.ws.send(Buffer.from('x')),
    ],
    [
      'a frame that is too big',
      { code: 'too_big', sentence: 'too big' },
      (_, client) => client.ws.send('x'.repeat(200_000)),
    ],
    [
      'invalid frames',
      { code: 'policy_violation', sentence: 'too many invalid frames' },
      (_, client) => {
        for (let i = 0; i < 25; i += 1) client.ws.send('{}');
      },
    ],
  ])('%s', async (_name, { sentence, ...expected }, ending) => {
    const ben = await world.user('ben');
    const client = await live(here.wsUrl, ben.token);
    const hello = client.frames[0];
    await ending(ben, client);
    const { reason } = await client.closed;
    const goodbye = client.frames.at(-1);
    expect(goodbye).toMatchObject({ type: 'goodbye', code: expected.code });
    expect(reason.close_id).toBe(goodbye.close_id);
    const close = await explained(reason.close_id);
    expect(close).toMatchObject({
      ...expected,
      side: 'server',
      connection_id: hello.connection_id,
      session_id: ben.session,
      user_id: ben.id,
      tenant_id: world.tenant.id,
      told: { code: expected.code, close_id: reason.close_id },
    });
    expect(close.sentence).toContain(sentence);
    expect(here.logs()).toContain(`"close_id":"${reason.close_id}"`);
    // The connection id of `hello` names the same end, and the audit has its records.
    expect(await explained(hello.connection_id)).toEqual(close);
    await eventually(
      () => read(`/v1/admin/audit?close_id=${reason.close_id}`),
      (page) => page?.items.some(({ event }: { event: string }) => event === 'connection_closed'),
      'the audit record of the end',
    );
  });

  test('revoked with a receipt: the explanation names who did it and the receipt', async () => {
    const ben = await world.user('ben');
    const client = await live(here.wsUrl, ben.token);
    const { body } = await post('/v1/admin/revocations', world.operator(), {
      session: ben.session,
      reason: 'stolen',
    });
    const me = (await call(there.url, '/v1/me', { token: world.operator() })).body;
    const close = await explained((await client.closed).reason.close_id);
    expect(close).toMatchObject({ ended_by: me.user_id, receipt: body.id });
    expect(close.session_ended_at).not.toBeNull();
  });

  test('a disabled tenant', async () => {
    const other = await World.create({ base: there.url });
    const ada = await other.user('ada');
    const client = await live(here.wsUrl, ada.token);
    await patch(`/v1/admin/tenants/${other.tenant.id}`, { state: 'disabled' });
    const close = await explained((await client.closed).reason.close_id);
    expect(close).toMatchObject({ code: 'tenant_disabled', tenant_id: other.tenant.id });
  });
});

describe('an end that the server did not bring', () => {
  test.each<[string, object, (client: RawClient) => void]>([
    [
      'the client closes with 1000',
      { side: 'client', code: '1000', status: 1000, told: null, action: null },
      (client) => client.ws.close(1000),
    ],
    [
      'the client closes with a status of its own',
      { side: 'client', code: '4321', status: 4321 },
      (client) => client.ws.close(4321),
    ],
    [
      'TCP ends without a close frame',
      { side: 'transport', code: 'reset', status: null, told: null },
      (client) => client.ws.terminate(),
    ],
  ])('%s', async (_name, expected, ending) => {
    const ben = await world.user('ben');
    const client = await live(here.wsUrl, ben.token);
    ending(client);
    const close = await explained(client.frames[0].connection_id);
    expect(close).toMatchObject({ ...expected, user_id: ben.id });
    expect(close.sentence).toMatch(/^The (client|network) /);
  });
});

describe('an end before any credential was accepted', () => {
  test.each<[CloseCode, (client: RawClient) => void]>([
    ['auth_missing', (client) => client.send({ type: 'ping' })],
    ['auth_invalid', (client) => client.send({ type: 'auth', token: badToken() })],
    ['auth_timeout', () => undefined],
  ])('%s is explained to an operator, and to nobody else', async (code, ending) => {
    const client = await open(here.wsUrl);
    ending(client);
    const id = (await client.closed).reason.close_id;
    expect(await explained(id)).toMatchObject({ code, session_id: null, tenant_id: null });
    const admin = await world.user('admin', 'admin');
    expectAnswer(
      await call(there.url, `/v1/admin/closes/${id}`, { token: admin.token, expect: 404 }),
      'not_found',
    );
  });
});

test('an admin reads the ends of the own tenant only, a member none; each look is in the audit', async () => {
  const [ben, admin] = [await world.user('ben'), await world.user('admin', 'admin')];
  const stranger = await (await World.create({ base: there.url })).user('eve', 'admin');
  const client = await live(here.wsUrl, ben.token);
  await post('/v1/auth/logout', ben.token);
  const id = (await client.closed).reason.close_id;
  expect(await explained(id, admin.token)).toMatchObject({ code: 'session_revoked' });
  const path = `/v1/admin/closes/${id}`;
  for (const [token, status, code] of [
    [stranger.token, 404, 'not_found'],
    [(await world.user('carl')).token, 403, 'role_required'],
  ] as const)
    expectAnswer(await call(there.url, path, { token, expect: status }), code);
  const query = `tenant=${world.tenant.slug}&event=data_read&user=${admin.id}`;
  const looks = await eventually(
    async () =>
      (await read(`/v1/admin/audit?${query}`))?.items.filter(
        (look: { detail: { what: string } }) => look.detail.what === 'close',
      ),
    (found) => found?.length > 0,
    'the audit record of the look',
  );
  expect(looks[0]).toMatchObject({ user_id: ben.id, detail: { what: 'close', id } });
});

test.each(['0', 'abcdefabcdef', 'ABCDEFABCDEF', '..%2f', '0'.repeat(500)])(
  'an id that names nothing: 404 (%s)',
  async (id) => {
    expectAnswer(
      await call(there.url, `/v1/admin/closes/${id}`, { token: world.operator(), expect: 404 }),
      'not_found',
    );
  },
);

test('a node that stopped: the other one explains the ends that it brought', async () => {
  const ben = await world.user('ben');
  const client = await live(here.wsUrl, ben.token);
  await here.stop();
  const close = await explained((await client.closed).reason.close_id);
  expect(close).toMatchObject({ code: 'restarting', action: 'reconnect', user_id: ben.id });
});
