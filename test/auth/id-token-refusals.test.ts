/** ID tokens of external issuers that open no session. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { CLIENT_ID, FakeIssuer, issuersFile, now } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { call, unique } from '../support/world.js';
import type { World } from '../support/world.js';
import { ExchangeWorld, email } from './exchange-world.js';

let cluster: Cluster;
let base: string;
let issuer: FakeIssuer;
let strict: FakeIssuer;
let stranger: FakeIssuer;
let world: World;
let codeOf: ExchangeWorld['codeOf'];

beforeAll(async () => {
  ({ cluster, base, issuer, strict, stranger, world, codeOf } = await ExchangeWorld.start());
}, 60_000);

describe('an ID token is refused', () => {
  const MUST_REJECT: [string, () => Promise<string>][] = [
    ['of an issuer that is not configured', () => stranger.idToken({ email: email() })],
    [
      'signed by another issuer under the name of ours',
      () => stranger.idToken({ iss: issuer.url, email: email() }),
    ],
    [
      'of an issuer that this tenant does not trust',
      () => strict.idToken({ aud: 'another-client', mail: email() }),
    ],
    [
      'whose issuer differs by a slash',
      () => issuer.idToken({ iss: `${issuer.url}/`, email: email() }),
    ],
    ['for another audience', () => issuer.idToken({ aud: 'another-client', email: email() })],
    ['without audience', () => issuer.idToken({ aud: undefined, email: email() })],
    [
      'for several audiences without an authorized party',
      () => issuer.idToken({ aud: [CLIENT_ID, 'x'], email: email() }),
    ],
    ['whose authorized party is another', () => issuer.idToken({ azp: 'x', email: email() })],
    ['that has expired', () => issuer.idToken({ exp: now() - 11, email: email() })],
    ['without exp', () => issuer.idToken({ exp: undefined, email: email() })],
    ['without iat', () => issuer.idToken({ iat: undefined, email: email() })],
    [
      'issued in the future',
      () => issuer.idToken({ iat: now() + 60, exp: now() + 300, email: email() }),
    ],
    ['issued two days ago', () => issuer.idToken({ iat: now() - 172_800, email: email() })],
    ['not valid yet', () => issuer.idToken({ nbf: now() + 60, email: email() })],
    ['without subject', () => issuer.idToken({ sub: undefined, email: email() })],
    ['with an endless subject', () => issuer.idToken({ sub: 'x'.repeat(256), email: email() })],
    ['with a NUL in its subject', () => issuer.idToken({ sub: 'a\0b', email: email() })],
    ['that is an access token', () => issuer.idToken({ email: email() }, { typ: 'at+jwt' })],
    [
      'that is a logout token',
      () => issuer.logoutToken(randomUUID(), { email: email(), email_verified: true }),
    ],
    [
      'that is a logout token of an old issuer, without a type',
      () =>
        issuer.logoutToken(randomUUID(), { email: email(), email_verified: true }, { typ: 'JWT' }),
    ],
    [
      'that is not signed',
      async () =>
        new UnsecuredJWT({
          sub: 'x',
          email: email(),
          email_verified: true,
          iss: issuer.url,
          aud: CLIENT_ID,
        })
          .setIssuedAt()
          .setExpirationTime('5m')
          .encode(),
    ],
    ['with a key nobody has', () => issuer.idToken({ email: email() }, { kid: 'nobody' })],
    ['whose claims were changed', async () => altered(await issuer.idToken({ email: email() }))],
    ['that is no token', async () => 'no token'],
    ['that is encrypted', async () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.BBBB.CCCC'],
  ];

  test.each(MUST_REJECT)('%s', async (_name, make) => {
    expect(await codeOf(await make(), 401)).toBe('auth_invalid');
  });

  test('in an algorithm the entry does not allow', async () => {
    const wide = await FakeIssuer.start('RS256');
    const entry = wide.entry([world.tenant.slug], { users: 'create', algorithms: ['ES256'] });
    const { nodes } = await startCluster(1, {
      ISSUERS_FILE: issuersFile([entry]),
      DATABASE_URL: cluster.databaseUrl,
      PUBLIC_URL: cluster.env['PUBLIC_URL']!,
      SECRET_KEY: cluster.env['SECRET_KEY']!,
    });
    const body = { tenant: world.tenant.id, id_token: await wide.idToken({ email: email() }) };
    expect((await call(nodes[0]!.url, '/v1/auth/exchange', { body, expect: 401 })).body.code).toBe(
      'auth_invalid',
    );
  });

  test('larger than 16 KiB, before it is looked at', async () => {
    expect(
      await codeOf(await issuer.idToken({ email: email(), groups: 'x'.repeat(17_000) }), 422),
    ).toBe('invalid_request');
  });

  test('for a tenant that is not there, and by what is not an exchange', async () => {
    const token = await issuer.idToken({ email: email() });
    expect(await codeOf(token, 401, unique('none'))).toBe('auth_invalid');
    expect(
      (
        await call(base, '/v1/auth/exchange', {
          body: { tenant: world.tenant.id, id_token: token, nonce: 'x' },
          expect: 422,
        })
      ).body.code,
    ).toBe('invalid_request');
  });
});

function altered(token: string): string {
  const [header, payload, signature] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), email: email() };
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}
