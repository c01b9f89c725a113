/**
 * How the keys of an external issuer are read: seldom, bounded, without following anybody
 * elsewhere; and ISSUERS_FILE at start.
 */
import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../../src/platform/config/config.js';
import { FakeIssuer, issuersFile, json } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import { World, call, unique } from '../support/world.js';

const DISCOVERY = '/.well-known/openid-configuration';

test('a key set is read once, again for a new key, and at most once a cool-down for kids that nobody has', async () => {
  const issuer = await FakeIssuer.start();
  const slug = unique('t');
  const entry = issuer.entry([slug], { users: 'create', jwks_cooldown_seconds: 2 });
  const { nodes } = await startCluster(1, {
    ISSUERS_FILE: issuersFile([entry]),
    LOGIN_FAILURES_PER_MINUTE: '0',
  });
  const base = nodes[0]!.url;
  await World.create({ base, tenant: { slug } });
  const exchange = async (token: Promise<string>, expected: number) =>
    (
      await call(base, '/v1/auth/exchange', {
        body: { tenant: slug, id_token: await token },
        expect: expected,
      })
    ).body;
  const mine = (header = {}) => issuer.idToken({ email: `${unique('u')}@example.com` }, header);
  expect(issuer.count(DISCOVERY)).toBe(0);
  await Promise.all(Array.from({ length: 10 }, () => exchange(mine(), 200)));
  expect([issuer.count(DISCOVERY), issuer.count('/keys')]).toEqual([1, 1]);
  // Unknown kids are anybody's to invent.
  for (let i = 0; i < 10; i += 1)
    expect((await exchange(mine({ kid: `k${i}` }), 401)).code).toBe('auth_invalid');
  expect(issuer.count('/keys')).toBeLessThanOrEqual(2);
  await sleep(2_100);
  await issuer.rotate();
  await exchange(mine(), 200);
  expect([issuer.count(DISCOVERY), issuer.count('/keys')]).toEqual([1, expect.any(Number)]);
  expect(issuer.count('/keys')).toBeLessThanOrEqual(3);
}, 60_000);

test('an issuer that is away, redirects, floods or lies is temporary trouble, and is not asked once per login', async () => {
  const [away, redirects, floods, lies, broken] = await Promise.all(
    Array.from({ length: 5 }, () => FakeIssuer.start()),
  );
  const slug = unique('t');
  const all = [away!, redirects!, floods!, lies!, broken!];
  const { nodes } = await startCluster(1, {
    ISSUERS_FILE: issuersFile(all.map((one) => one.entry([slug], { users: 'create' }))),
  });
  const base = nodes[0]!.url;
  await World.create({ base, tenant: { slug } });
  const exchange = async (issuer: FakeIssuer) => {
    const body = {
      tenant: slug,
      id_token: await issuer.idToken({ email: `${unique('u')}@example.com` }),
    };
    return (await call(base, '/v1/auth/exchange', { body, expect: 503 })).body;
  };
  const elsewhere = await FakeIssuer.start();
  away!.stop();
  redirects!.instead.set(DISCOVERY, (response) =>
    response.writeHead(302, { location: `${elsewhere.url}${DISCOVERY}` }).end(),
  );
  floods!.instead.set('/keys', (response) =>
    response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`),
  );
  lies!.instead.set(DISCOVERY, (response) =>
    json(response, { issuer: elsewhere.url, jwks_uri: `${elsewhere.url}/keys` }),
  );
  broken!.instead.set('/keys', (response) => response.end('<html>'));
  for (const issuer of all)
    expect(await exchange(issuer)).toMatchObject({ code: 'unavailable', action: 'retry' });
  expect([...elsewhere.asked.keys()]).toEqual([]);
  await exchange(broken!);
  expect(broken!.count('/keys')).toBe(1);
  // It comes back, and so do its users.
  broken!.instead.clear();
  await sleep(2_100);
  const body = {
    tenant: slug,
    id_token: await broken!.idToken({ email: `${unique('u')}@example.com` }),
  };
  await call(base, '/v1/auth/exchange', { body });
}, 60_000);

describe('ISSUERS_FILE', () => {
  const good = {
    DATABASE_URL: 'postgres://u:p@db/wardroom',
    REDIS_URL: 'redis://cache:6379',
    SECRET_KEY: 'k'.repeat(32),
  };
  const entry = { issuer: 'https://login.example.com', client_id: 'c', tenants: ['acme'] };
  const problemOf = (entries: unknown, more = {}): string => {
    try {
      Config.parse({ ...good, ISSUERS_FILE: issuersFile(entries), ...more });
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };

  test('is optional; its entries have defaults', () => {
    expect(Config.parse(good).issuers).toEqual([]);
    expect(Config.parse({ ...good, ISSUERS_FILE: issuersFile([entry]) }).issuers).toEqual([
      {
        issuer: 'https://login.example.com',
        audience: ['c'],
        client_id: 'c',
        tenants: ['acme'],
        algorithms: ['RS256', 'ES256'],
        claims: { email: 'email', name: 'name' },
        email_verified: 'required',
        users: 'existing',
        jwks_cooldown_seconds: 30,
      },
    ]);
  });

  test.each([
    ['is not JSON', '{'],
    ['is not a list', entry],
    ['has no audience', [{ ...entry, client_id: undefined }]],
    ['trusts an issuer for no tenant', [{ ...entry, tenants: [] }]],
    ['names an issuer that is no URL', [{ ...entry, issuer: 'login' }]],
    ['allows a shared secret', [{ ...entry, algorithms: ['RS256', 'HS256'] }]],
    ['allows no signature', [{ ...entry, algorithms: ['none'] }]],
    ['has a field nobody knows', [{ ...entry, client_secret: 'sw0rdf!sh' }]],
    [
      'has a button without client_id',
      [{ ...entry, client_id: undefined, audience: 'c', sign_in: { label: 'L' } }],
    ],
    ['has a button without a label', [{ ...entry, sign_in: {} }]],
    [
      'has a secret with a line break',
      [{ ...entry, sign_in: { label: 'L', client_secret: 'sw0rdf!sh\n' } }],
    ],
    ['names an issuer twice for one tenant', [entry, { ...entry, client_id: 'd' }]],
  ])('stops the start when it %s', (_what, entries) => {
    const problem = problemOf(entries);
    expect(problem).toMatch(/ {2}ISSUERS_FILE: /);
    expect(problem).not.toContain('sw0rdf');
  });

  test('is listed beside the other bad variables, and wants https in production', () => {
    expect(problemOf([{ ...entry, tenants: [] }], { PORT: 'x' })).toMatch(
      /PORT: [^]*ISSUERS_FILE: /,
    );
    expect(problemOf([{ ...entry, issuer: 'http://login.example.com' }])).toBe('accepted');
    expect(
      problemOf([{ ...entry, issuer: 'http://login.example.com' }], { NODE_ENV: 'production' }),
    ).toContain('https in production');
  });
});
