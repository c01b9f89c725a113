/** Sign-ins by redirects beside trouble: of an issuer, of other people, of a spelling. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FakeIssuer, issuersFile, json } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import { World, call, unique } from '../support/world.js';
import { comeBack, visitIssuer } from './issuer-browser.js';

describe('with the limits of every installation, and a PUBLIC_URL that is not written as browsers do', () => {
  let plain: FakeIssuer;
  let odd: FakeIssuer;
  let node: string;
  const slug = unique('t');
  const ORIGIN = { origin: 'http://wardroom.test' };

  beforeAll(async () => {
    [plain, odd] = await Promise.all([FakeIssuer.start('ES256'), FakeIssuer.start()]);
    plain.person = { sub: randomUUID(), email: `${unique('u')}@example.com` };
    for (const [issuer, more] of [
      [plain, { authorization_endpoint: `${plain.url}/authorize` }],
      [odd, { authorization_endpoint: 'urn:kubernetes:programmatic_authorization' }],
    ] as const)
      issuer.instead.set('/.well-known/openid-configuration', (response) =>
        json(response, {
          issuer: issuer.url,
          jwks_uri: `${issuer.url}/keys`,
          token_endpoint: `${issuer.url}/token`,
          ...more,
        }),
      );
    const signIn = { label: 'Plain' };
    const cluster = await startCluster(1, {
      PUBLIC_URL: 'http://Wardroom.test:80',
      ISSUERS_FILE: issuersFile([
        plain.entry([slug], { users: 'create', sign_in: signIn }),
        odd.entry([slug], { users: 'create' }),
      ]),
    });
    node = cluster.nodes[0]!.url;
    await World.create({ base: node, tenant: { slug } });
  }, 60_000);

  const leave = async () => {
    const answer = await call(node, '/v1/auth/issuers/sign-in', {
      headers: ORIGIN,
      body: { tenant: slug, issuer: plain.url, to: '/chat' },
    });
    const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!;
    return { cookie, url: await visitIssuer(answer.body.url, node) };
  };

  test('a person is signed in, by metadata that name no algorithms', async () => {
    const { cookie, url } = await leave();
    expect(await comeBack(url, cookie)).toMatchObject({ to: 'http://wardroom.test/chat' });
  });

  test('metadata that only a sign-in needs may be odd: ID tokens of that issuer are exchanged', async () => {
    const { body } = await call(node, '/v1/auth/exchange', {
      body: { tenant: slug, id_token: await odd.idToken({ email: `${unique('u')}@example.com` }) },
    });
    expect(body.access_token).toEqual(expect.any(String));
  });

  test('a dozen people who change their mind lock nobody out, and the issuer is not asked', async () => {
    const asked = plain.count('/token');
    for (let i = 0; i < 12; i += 1) {
      const { cookie, url } = await leave();
      const cancelled = url.replace(/code=[^&]*/, 'error=access_denied');
      expect((await comeBack(cancelled, cookie)).to).toMatch(/refused=auth_invalid/);
    }
    const { cookie, url } = await leave();
    expect(await comeBack(url, cookie)).toMatchObject({ to: 'http://wardroom.test/chat' });
    expect(plain.count('/token') - asked).toBe(1);
  });

  test('sixty wrong codes at once are no sixty questions to the issuer', async () => {
    const asked = plain.count('/token');
    const { cookie, url } = await leave();
    const wrong = url.replace(/code=[^&]*/, 'code=guess');
    const answers = await Promise.all(Array.from({ length: 60 }, () => comeBack(wrong, cookie)));
    const refusals = new Set(answers.map(({ to }) => to?.match(/refused=(\w+)/)?.[1]));
    expect(refusals).toEqual(new Set(['auth_invalid', 'rate_limited']));
    expect(plain.count('/token') - asked).toBeLessThanOrEqual(10 + 4);
  });
});

test.each([
  ['https://chat.example.com', /^__Host-wr_issuer=[^;]+; Max-Age=3600; Path=\/; .*Secure/],
  ['https://example.com/chat', /^__Secure-wr_issuer=[^;]+; Max-Age=3600; Path=\/chat; .*Secure/],
])(
  'under %s the cookie has the prefix that keeps others from planting one',
  async (url, cookie) => {
    const issuer = await FakeIssuer.start();
    const slug = unique('t');
    const { nodes } = await startCluster(1, {
      PUBLIC_URL: url,
      ISSUERS_FILE: issuersFile([issuer.entry([slug], { sign_in: { label: 'L' } })]),
    });
    const base = nodes[0]!.url;
    await World.create({ base, tenant: { slug } });
    const { headers } = await call(base, '/v1/auth/issuers/sign-in', {
      headers: { origin: new URL(url).origin },
      body: { tenant: slug, issuer: issuer.url, to: '/' },
    });
    expect(headers.getSetCookie()[0]).toMatch(cookie);
  },
);
