/**
 * Signing in at an external issuer by redirects, as a browser does it: the page begins, the issuer
 * answers, and the browser comes back with a session in cookies, or with a reason.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FakeIssuer, issuersFile, json, now } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import { comeBack, visitIssuer } from './issuer-browser.js';
import { noteSecret } from '../support/secrets.mjs';
import { World, call, unique } from '../support/world.js';

const SECRET = 's3cret/of+the=client';
noteSecret('client_secret', SECRET);
let issuer: FakeIssuer;
let open: FakeIssuer;
let world: World;
let other: World;
let a: string;
let b: string;

beforeAll(async () => {
  [issuer, open] = await Promise.all([FakeIssuer.start(), FakeIssuer.start('ES256')]);
  issuer.secret = SECRET;
  const [slug, otherSlug] = [unique('t'), unique('t')];
  const signIn = { label: 'Acme', client_secret: SECRET };
  const cluster = await startCluster(2, {
    ALLOWED_ORIGINS: 'https://app.example.com',
    ISSUERS_FILE: issuersFile([
      issuer.entry([slug, 'system'], { users: 'create', sign_in: signIn }),
      open.entry([slug], { users: 'create', sign_in: { label: 'Öffentlich' } }),
      open.entry([otherSlug], { users: 'create' }),
    ]),
    LOGIN_FAILURES_PER_MINUTE: '0',
  });
  [a, b] = cluster.nodes.map(({ url }) => url) as [string, string];
  world = await World.create({ base: a, tenant: { slug } });
  other = await World.create({ base: a, tenant: { slug: otherSlug } });
}, 60_000);

interface Begun {
  status: number;
  body: Record<string, string>;
  cookie: string;
  /** Of the cookie, as the browser was told. */
  attributes: string;
}

async function begin(fields: Record<string, unknown> = {}, origin = 'http://wardroom.test') {
  const response = await fetch(`${a}/v1/auth/issuers/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({
      tenant: world.tenant.slug,
      issuer: issuer.url,
      to: '/chat?tenant=x#invite=abc',
      ...fields,
    }),
  });
  const [cookie = ''] = response.headers.getSetCookie();
  return {
    status: response.status,
    body: await response.json(),
    cookie: cookie.split(';')[0]!,
    attributes: cookie,
  } as Begun;
}

const whole = async (fields?: Record<string, unknown>) => {
  const begun = await begin(fields);
  return comeBack(await visitIssuer(begun.body['url']!, b), begun.cookie);
};
const REFUSED = (code: string) => `http://wardroom.test/chat?tenant=x&refused=${code}#invite=abc`;

describe('the buttons of a tenant', () => {
  test('are the issuers with sign_in, in the order of the file, and no secret is among them', async () => {
    const { body } = await call(a, `/v1/auth/issuers?tenant=${world.tenant.slug}`);
    expect(body).toEqual({
      items: [
        { issuer: issuer.url, label: 'Acme' },
        { issuer: open.url, label: 'Öffentlich' },
      ],
    });
  });

  test.each([
    ['without sign_in', () => other.tenant.slug],
    ['that does not exist', () => unique('none')],
    ['of operators', () => 'system'],
  ])('a tenant %s has none', async (_what, tenant) => {
    expect((await call(a, `/v1/auth/issuers?tenant=${tenant()}`)).body).toEqual({ items: [] });
  });
});

describe('a sign-in that was begun on one node and ends on another', () => {
  test('gives the browser a session of cookies, and brings it to the page with its fragment', async () => {
    const sub = randomUUID();
    issuer.person = { sub, email: `${unique('u')}@example.com`, name: 'Ada' };
    const begun = await begin({ device: 'a browser' });
    expect(begun.attributes).toMatch(/; Path=\/;.*HttpOnly; SameSite=Lax/);
    const back = await comeBack(await visitIssuer(begun.body['url']!, b), begun.cookie);
    expect(back).toMatchObject({
      status: 303,
      to: 'http://wardroom.test/chat?tenant=x#invite=abc',
      isForgotten: true,
    });
    const me = await fetch(`${a}/v1/me`, { headers: { cookie: back.access } });
    expect(await me.json()).toMatchObject({ name: 'Ada', tenant_id: world.tenant.id });
    const sessions = await fetch(`${a}/v1/auth/sessions`, { headers: { cookie: back.access } });
    expect((await sessions.json()).items).toEqual([
      expect.objectContaining({ device: 'a browser', current: true }),
    ]);
  });

  test('asks with PKCE, state, nonce and the scope, and with max_age for a fresh proof only', async () => {
    await whole();
    await whole({ fresh: true });
    const [plain, fresh] = issuer.visits.slice(-2) as [URLSearchParams, URLSearchParams];
    for (const asked of [plain, fresh])
      expect(Object.fromEntries(asked)).toMatchObject({
        response_type: 'code',
        client_id: 'wardroom-client',
        redirect_uri: 'http://wardroom.test/v1/auth/issuers/callback',
        scope: 'openid email profile',
        code_challenge_method: 'S256',
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        state: expect.stringMatching(/^[\w-]{40,}$/),
        nonce: expect.stringMatching(/^[\w-]{40,}$/),
      });
    expect([plain.get('max_age'), fresh.get('max_age')]).toEqual([null, '0']);
    expect(plain.get('state')).not.toBe(fresh.get('state'));
  });

  test('works for a public client, too, which has no secret', async () => {
    open.person = { email: `${unique('u')}@example.com` };
    expect(await whole({ issuer: open.url })).toMatchObject({
      to: 'http://wardroom.test/chat?tenant=x#invite=abc',
      access: expect.stringMatching(/^wr_at=./),
    });
  });

  test('takes the address from UserInfo where the ID token has none, and nothing else that matters', async () => {
    const [sub, email] = [randomUUID(), `${unique('u')}@example.com`];
    issuer.person = { sub };
    issuer.told = { sub, email, email_verified: true, name: 'Told', auth_time: now() };
    const { access } = await whole();
    const me = await fetch(`${a}/v1/me`, { headers: { cookie: access } });
    expect(await me.json()).toMatchObject({ email, name: 'Told' });
    const proof = await fetch(`${a}/v1/auth/step-up`, { headers: { cookie: access } });
    expect((await proof.json()).auth_time).toBeNull();
  });

  test('a proof that the issuer dates counts as one of the person', async () => {
    issuer.person = { email: `${unique('u')}@example.com`, auth_time: now() };
    const { access } = await whole({ fresh: true });
    const proof = await fetch(`${a}/v1/auth/step-up`, { headers: { cookie: access } });
    expect((await proof.json()).auth_time).toEqual(expect.any(String));
  });
});

describe('a sign-in does not begin', () => {
  test.each([
    ['for an issuer that the tenant has no button for', { issuer: 'https://idp.example' }, 404],
    ['for a tenant that does not exist', { tenant: 'nobody-here' }, 404],
    ['for operators', { tenant: 'system' }, 404],
    ['towards a page of another origin', { to: 'https://evil.example/chat' }, 422],
    ['towards another host by two slashes', { to: '//evil.example/chat' }, 422],
    ['towards an address that no cookie holds', { to: `/${'ä'.repeat(300)}` }, 422],
    ['towards an address with a name and a password', { to: 'http://u:p@wardroom.test/' }, 422],
    ['towards a script', { to: 'javascript:alert(1)' }, 422],
    ['with a field that is not known', { nonce: 'mine' }, 422],
  ])('%s', async (_what, fields, status) => {
    const begun = await begin(fields);
    expect(begun).toMatchObject({ status, cookie: '' });
  });

  test('its cookie is one that browsers keep, however long its fields are', async () => {
    const { attributes, status } = await begin({
      to: `/${'ä'.repeat(240)}`,
      device: '\u{1f600}'.repeat(50),
    });
    expect(status).toBe(200);
    expect(attributes.length).toBeLessThan(4_000);
  });

  test('from a page of another origin: csrf_failed', async () => {
    expect(await begin({}, 'https://evil.example')).toMatchObject({
      status: 403,
      body: { code: 'csrf_failed' },
      cookie: '',
    });
  });

  test('while the issuer does not answer: unavailable, and nobody is redirected', async () => {
    const dead = await FakeIssuer.start();
    dead.instead.set('/.well-known/openid-configuration', (response) => response.destroy());
    const slug = unique('t');
    const cluster = await startCluster(1, {
      ISSUERS_FILE: issuersFile([dead.entry([slug], { sign_in: { label: 'Dead' } })]),
    });
    const base = cluster.nodes[0]!.url;
    await World.create({ base, tenant: { slug } });
    const answer = await call(base, '/v1/auth/issuers/sign-in', {
      headers: { origin: 'http://wardroom.test' },
      body: { tenant: slug, issuer: dead.url, to: '/chat' },
      expect: 503,
    });
    expect(answer.body.code).toBe('unavailable');
  });

  test('towards an allowed origin it does: applications have pages of their own', async () => {
    const to = 'https://app.example.com/rooms?x=1';
    const begun = await begin({ to });
    issuer.person = { email: `${unique('u')}@example.com` };
    expect((await comeBack(await visitIssuer(begun.body['url']!, b), begun.cookie)).to).toBe(to);
  });
});

describe('nobody is signed in, and the page is told why,', () => {
  test('when the person refuses at the issuer', async () => {
    issuer.person = null;
    expect(await whole()).toMatchObject({ status: 303, to: REFUSED('auth_invalid'), access: '' });
    issuer.person = {};
  });

  test('when the answer has the state of another journey', async () => {
    const [first, second] = [await begin(), await begin()];
    const back = await comeBack(await visitIssuer(first.body['url']!, b), second.cookie);
    expect(back).toMatchObject({ to: REFUSED('auth_invalid'), access: '', isForgotten: true });
  });

  test('when a code is brought a second time', async () => {
    issuer.person = { email: `${unique('u')}@example.com` };
    const begun = await begin();
    const url = await visitIssuer(begun.body['url']!, b);
    expect((await comeBack(url, begun.cookie)).access).not.toBe('');
    expect(await comeBack(url, begun.cookie)).toMatchObject({
      to: REFUSED('auth_invalid'),
      access: '',
    });
  });

  test.each([
    ['two codes', '&code=another'],
    ['two states', '&state=another'],
    ['an error beside its code', '&error=access_denied'],
  ])('when the answer has %s', async (_what, more) => {
    const begun = await begin();
    const url = (await visitIssuer(begun.body['url']!, b)) + more;
    expect(await comeBack(url, begun.cookie)).toMatchObject({
      status: 303,
      to: REFUSED('auth_invalid'),
      access: '',
    });
  });

  test('when the answer says that it is of another issuer (mix-up)', async () => {
    const begun = await begin();
    const url = (await visitIssuer(begun.body['url']!, b)).replace(
      `iss=${encodeURIComponent(issuer.url)}`,
      `iss=${encodeURIComponent(open.url)}`,
    );
    expect(await comeBack(url, begun.cookie)).toMatchObject({
      to: REFUSED('auth_invalid'),
      access: '',
    });
  });

  test.each([
    ['has another nonce', { nonce: 'another' }],
    ['is of another audience', { aud: 'somebody-else' }],
    ['is over', { exp: now() - 3_600 }],
    ['proves no address', { email: 'unproven@example.com', email_verified: false }],
  ])('when the ID token %s', async (_what, claims) => {
    issuer.person = { email: `${unique('u')}@example.com`, ...claims };
    expect(await whole()).toMatchObject({
      status: 303,
      to: expect.stringContaining('refused='),
      access: '',
    });
  });

  test('when UserInfo is about somebody else', async () => {
    const email = `${unique('u')}@example.com`;
    issuer.person = { sub: randomUUID(), email_verified: undefined };
    issuer.told = { sub: randomUUID(), email, email_verified: true };
    expect(await whole()).toMatchObject({ to: REFUSED('auth_invalid'), access: '' });
  });

  test('when the user is suspended here', async () => {
    const sub = randomUUID();
    issuer.person = { sub, email: `${unique('u')}@example.com` };
    const { access } = await whole();
    const me = await (await fetch(`${a}/v1/me`, { headers: { cookie: access } })).json();
    await call(a, `/v1/admin/users/${me.user_id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    expect(await whole()).toMatchObject({ to: REFUSED('user_suspended'), access: '' });
  });

  test('when the issuer refuses our own secret: unavailable, for it is our trouble', async () => {
    issuer.secret = 'changed';
    expect(await whole()).toMatchObject({ to: REFUSED('unavailable'), access: '' });
    issuer.secret = SECRET;
  });

  test.each([
    ['breaks', (response: Parameters<typeof json>[0]) => json(response, {}, 500)],
    ['is closed for repairs', (response: Parameters<typeof json>[0]) => void response.end('<p>')],
    [
      'gives no ID token',
      (response: Parameters<typeof json>[0]) =>
        json(response, { access_token: 'a', token_type: 'Bearer' }),
    ],
    ['ends the line', (response: Parameters<typeof json>[0]) => void response.destroy()],
  ])('when the issuer %s while the code is redeemed: unavailable', async (_what, handler) => {
    const begun = await begin({ issuer: open.url });
    const url = await visitIssuer(begun.body['url']!, b);
    open.instead.set('/token', handler);
    expect(await comeBack(url, begun.cookie)).toMatchObject({
      to: REFUSED('unavailable'),
      access: '',
    });
    open.instead.delete('/token');
  });
});

describe('a browser that did not begin', () => {
  test.each([
    ['without the cookie', () => ''],
    ['with a cookie made by hand', () => `wr_issuer=${Buffer.alloc(80).toString('base64url')}`],
    ['with a cookie that is no text of ours', () => 'wr_issuer=%00%ff'],
  ])('%s is refused with auth_invalid', async (_what, cookie) => {
    const begun = await begin();
    const back = await comeBack(await visitIssuer(begun.body['url']!, b), cookie());
    expect(back).toMatchObject({ status: 401, body: { code: 'auth_invalid' }, access: '' });
  });
});
