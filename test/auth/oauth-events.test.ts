/**
 * Sessions end on word of an external issuer: OpenID back-channel logout and CAEP session-revoked,
 * on two nodes with sockets open.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { FakeIssuer, issuersFile, now } from '../support/issuer.js';
import { query } from '../support/sql.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, unique, wsUrl } from '../support/world.js';

let cluster: Cluster;
let a: string;
let b: string;
let issuer: FakeIssuer;
let stranger: FakeIssuer;
const slugs = [unique('t'), unique('t')];

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([FakeIssuer.start(), FakeIssuer.start()]);
  const env = {
    ISSUERS_FILE: issuersFile([issuer.entry(slugs, { users: 'create' })]),
    LOGIN_FAILURES_PER_MINUTE: '0',
  };
  cluster = await startCluster(2, env);
  [a, b] = cluster.nodes.map((node) => node.url) as [string, string];
  for (const slug of slugs) await World.create({ base: a, tenant: { slug } });
}, 60_000);

interface Person {
  sub: string;
  email: string;
  id: string;
  token: string;
  refresh: string;
}

async function signIn(
  sub: string = randomUUID(),
  tenant = slugs[0]!,
  email = `${unique('u')}@example.com`,
): Promise<Person> {
  const { body } = await call(b, '/v1/auth/exchange', {
    body: { tenant, id_token: await issuer.idToken({ sub, email }) },
  });
  const me = await call(b, '/v1/me', { token: body.access_token });
  return { sub, email, id: me.body.user_id, token: body.access_token, refresh: body.refresh_token };
}

/** Since the second in which tokens were issued may be that of the logout. */
const before = (person: Person) =>
  query(
    cluster.databaseUrl,
    `UPDATE sessions SET created_at = created_at - interval '2 minutes' WHERE user_id = $1`,
    [person.id],
  );
const logout = (token: string, base = a) =>
  supertest(base).post('/v1/oauth/backchannel-logout').type('form').send({ logout_token: token });
const send = (token: string, base = a, type = 'application/secevent+jwt') =>
  supertest(base).post('/v1/oauth/events').set('content-type', type).send(token);
const isOut = async ({ token, refresh }: Person): Promise<void> => {
  for (const base of [a, b])
    expect((await call(base, '/v1/me', { token, expect: 401 })).body.code).toBe('session_revoked');
  expect(
    (await call(a, '/v1/auth/refresh', { body: { refresh_token: refresh }, expect: 401 })).body
      .code,
  ).toBe('session_revoked');
};
const isIn = ({ token }: Person) => call(a, '/v1/me', { token });

describe('back-channel logout', () => {
  test('ends every session of the linked user in every tenant, closes its sockets on every node, and nobody else', async () => {
    const ada = await signIn();
    const again = await signIn(ada.sub);
    const elsewhere = await signIn(ada.sub, slugs[1]);
    const ben = await signIn();
    const sockets = await Promise.all([
      RawClient.live(wsUrl(a), ada.token),
      RawClient.live(wsUrl(b), again.token),
      RawClient.live(wsUrl(b), elsewhere.token),
    ]);
    const answer = await logout(await issuer.logoutToken(ada.sub));
    expect(answer).toMatchObject({
      status: 200,
      text: '',
      headers: { 'cache-control': 'no-store' },
    });
    for (const person of [ada, again, elsewhere]) await isOut(person);
    for (const socket of sockets)
      expect(await socket.closed).toMatchObject({
        code: 1008,
        reason: { code: 'session_revoked', action: 'login' },
      });
    await isIn(ben);
  });

  test('an ID token from before the logout opens nothing any more; one from after it does', async () => {
    const person = await signIn();
    const old = await issuer.idToken({ sub: person.sub, iat: now() - 30 });
    await logout(await issuer.logoutToken(person.sub, { iat: now() - 10 }));
    await isOut(person);
    const body = { tenant: slugs[0], id_token: old };
    expect((await call(a, '/v1/auth/exchange', { body, expect: 401 })).body.code).toBe(
      'auth_invalid',
    );
    await isIn(await signIn(person.sub));
  });

  test('acts once, on either node, and never on sessions that began after it', async () => {
    const person = await signIn();
    const token = await issuer.logoutToken(person.sub, { iat: now() - 300 });
    const second = await issuer.logoutToken(person.sub, { iat: now() - 300 });
    await before(person);
    await query(
      cluster.databaseUrl,
      `UPDATE sessions SET created_at = created_at - interval '10 minutes' WHERE user_id = $1`,
      [person.id],
    );
    expect((await logout(token)).status).toBe(200);
    await isOut(person);
    const later = await signIn(person.sub);
    expect(await logout(token, b)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
    expect((await logout(second)).status).toBe(200);
    await isIn(later);
  });

  test('of a subject that never came here is answered with success', async () => {
    expect((await logout(await issuer.logoutToken(randomUUID()))).status).toBe(200);
  });

  const sub = randomUUID();
  test.each<[string, () => Promise<string>]>([
    ['of another issuer', () => stranger.logoutToken(sub)],
    [
      'signed by another under the name of the issuer',
      () => stranger.logoutToken(sub, { iss: issuer.url }),
    ],
    ['for another audience', () => issuer.logoutToken(sub, { aud: 'x' })],
    ['with a nonce', () => issuer.logoutToken(sub, { nonce: 'n' })],
    ['without events', () => issuer.logoutToken(sub, { events: undefined })],
    [
      'with another event',
      () => issuer.logoutToken(sub, { events: { 'https://example.com/other': {} } }),
    ],
    ['without jti', () => issuer.logoutToken(sub, { jti: undefined })],
    ['without iat', () => issuer.logoutToken(sub, { iat: undefined })],
    ['that is an hour old', () => issuer.logoutToken(sub, { iat: now() - 3600 })],
    ['that has expired', () => issuer.logoutToken(sub, { exp: now() - 60 })],
    [
      'for a session of the issuer only',
      () => issuer.logoutToken(sub, { sub: undefined, sid: 's' }),
    ],
    ['that is an ID token', () => issuer.idToken({ sub })],
    [
      'that is a security event',
      () => issuer.revokedEvent({ format: 'iss_sub', iss: issuer.url, sub }),
    ],
    ['that is no token', async () => 'no token'],
  ])('refuses a token %s, in the words of OAuth', async (_what, make) => {
    const alive = await signIn(sub);
    const answer = await logout(await make());
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: expect.any(String) },
    });
    await isIn(alive);
  });
});

describe('security events', () => {
  test('session-revoked ends the sessions of its subject and is answered 202 without a body', async () => {
    const subjects: ((one: Person) => unknown)[] = [
      (one) => ({ format: 'iss_sub', iss: issuer.url, sub: one.sub }),
      (one) => ({ format: 'email', email: one.email.toUpperCase() }),
      (one) => ({
        format: 'complex',
        user: { format: 'iss_sub', iss: issuer.url, sub: one.sub },
        session: { format: 'opaque', id: 's' },
      }),
    ];
    for (const subjectOf of subjects) {
      const [one, bystander] = [await signIn(), await signIn()];
      const socket = await RawClient.live(wsUrl(b), one.token);
      expect(await send(await issuer.revokedEvent(subjectOf(one)))).toMatchObject({
        status: 202,
        text: '',
      });
      expect(await socket.closed).toMatchObject({
        code: 1008,
        reason: { code: 'session_revoked' },
      });
      await isOut(one);
      await isIn(bystander);
    }
  });

  test('the subject may stand in the event, as in the drafts', async () => {
    const one = await signIn();
    const event = { subject: { format: 'iss_sub', iss: issuer.url, sub: one.sub } };
    const token = await issuer.revokedEvent(undefined, {
      events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': event },
    });
    expect((await send(token)).status).toBe(202);
    await isOut(one);
  });

  test('sent again it is accepted and does nothing; so is an event we do not know, and a subject nobody knows', async () => {
    const one = await signIn();
    const subject = { format: 'iss_sub', iss: issuer.url, sub: one.sub };
    const token = await issuer.revokedEvent(subject);
    expect((await send(token)).status).toBe(202);
    // An ID token of the very second of the event could be from before it.
    const later = await afterNextSecond(() => signIn(one.sub, slugs[0], one.email));
    expect((await send(token, b)).status).toBe(202);
    const other = {
      'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'x' },
    };
    expect((await send(await issuer.revokedEvent(subject, { events: other }))).status).toBe(202);
    expect((await send(await issuer.revokedEvent({ ...subject, sub: randomUUID() }))).status).toBe(
      202,
    );
    await isIn(later);
  });

  test.each<[string, string, () => Promise<string>]>([
    [
      'of another issuer',
      'invalid_issuer',
      () => stranger.revokedEvent({ format: 'email', email: 'a@example.com' }),
    ],
    [
      'signed by another',
      'invalid_key',
      () => stranger.revokedEvent({ format: 'email', email: 'a@example.com' }, { iss: issuer.url }),
    ],
    [
      'for another audience',
      'invalid_audience',
      () => issuer.revokedEvent({ format: 'email', email: 'a@example.com' }, { aud: 'x' }),
    ],
    [
      'without a type',
      'invalid_request',
      () =>
        issuer.revokedEvent({ format: 'email', email: 'a@example.com' }, {}, { typ: undefined }),
    ],
    [
      'without jti',
      'invalid_request',
      () => issuer.revokedEvent({ format: 'email', email: 'a@example.com' }, { jti: undefined }),
    ],
    [
      'about a subject of another issuer',
      'invalid_request',
      () => issuer.revokedEvent({ format: 'iss_sub', iss: 'https://x.example', sub: 'x' }),
    ],
    [
      'whose subject is named in another way',
      'invalid_request',
      () => issuer.revokedEvent({ format: 'phone_number', phone_number: '+1' }),
    ],
    ['that is no token', 'invalid_request', async () => 'no token'],
    ['that is an ID token', 'invalid_request', () => issuer.idToken()],
  ])('refuses a token %s with %s', async (_what, err, make) => {
    const answer = await send(await make());
    expect(answer).toMatchObject({ status: 400, body: { err, description: expect.any(String) } });
  });

  test('refuses what is not sent as a security event, or is endless', async () => {
    const token = await issuer.revokedEvent({ format: 'email', email: 'a@example.com' });
    for (const type of ['application/json', 'text/plain', 'application/jwt']) {
      const { status, body } = await send(
        type === 'application/json' ? JSON.stringify({ token }) : token,
        a,
        type,
      );
      expect([status, body.code]).toEqual([415, 'invalid_request']);
    }
    expect((await send('x'.repeat(70_000))).status).toBe(413);
  });
});

test('while Redis is away both still act', async () => {
  const lonely = await startCluster(1, {
    ISSUERS_FILE: cluster.env['ISSUERS_FILE']!,
    DATABASE_URL: cluster.databaseUrl,
    PUBLIC_URL: cluster.env['PUBLIC_URL']!,
    SECRET_KEY: cluster.env['SECRET_KEY']!,
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  const base = lonely.nodes[0]!.url;
  const [one, two] = [await signIn(), await signIn()];
  expect((await logout(await issuer.logoutToken(one.sub), base)).status).toBe(200);
  expect(
    (
      await send(
        await issuer.revokedEvent({ format: 'iss_sub', iss: issuer.url, sub: two.sub }),
        base,
      )
    ).status,
  ).toBe(202);
  for (const { token } of [one, two]) {
    let answer = await fetch(`${base}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    for (const deadline = Date.now() + 5_000; answer.status !== 401 && Date.now() < deadline;) {
      answer = await fetch(`${base}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    }
    expect([answer.status, (await answer.json()).code]).toEqual([401, 'session_revoked']);
  }
}, 60_000);

async function afterNextSecond<T>(work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 1_050 - (Date.now() % 1000)));
  return work();
}
