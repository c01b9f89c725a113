/**
 * Contract section 3: an access token is accepted only if every claim is present and well-typed and
 * everything in it is alive.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AccessTokens } from '../../../src/auth/tokens/access-token.js';
import { mintRefreshToken, newRefreshFamily } from '../../../src/auth/tokens/refresh-token.js';
import type { SigningKeys } from '../../../src/auth/keys/signing-keys.js';
import { generationOf } from '../../../src/auth/tokens/token-id.js';
import { createSigningKey, unwrapSigningKey } from '../../../src/auth/keys/wrapped-key.js';
import { AuthorityDispatcher } from '../../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../../src/authority/authority-state.js';
import type { PublicUrl } from '../../../src/auth/tokens/public-url.js';
import type { Config } from '../../../src/platform/config/config.js';
import { DomainError } from '../../../src/platform/errors.js';
import { newId } from '../../../src/platform/ids.js';
import type { SessionActivity } from '../../../src/sessions/session-activity.js';
import type { StandingSessions } from '../../../src/sessions/standing-sessions.js';
import { createPrivateKey } from 'node:crypto';
import { at } from '../../support/positions.js';

const ISSUER = 'https://rooms.example.com';
const SECRET = 'x'.repeat(32);
const principal = { userId: newId(), tenantId: newId(), sessionId: newId() };

let kid: string;
let privateKey: KeyObject;
let publicKey: KeyObject;
let tokens: AccessTokens;
let state: AuthorityState;
let reloads = 0;
const accepted: [string, number][] = [];

beforeAll(async () => {
  const row = await createSigningKey(SECRET, new Date(0));
  kid = row.kid;
  const pkcs8 = unwrapSigningKey({ kid, wrapped: row.wrapped as Uint8Array }, [SECRET])!;
  privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  publicKey = createPublicKey(privateKey);
  const key = { kid, alg: 'ES256', privateKey, publicKey, retiredAtMs: null };
  const keys = {
    current: () => key,
    find: (wanted: string) => (wanted === kid ? key : undefined),
    reload: async () => void (reloads += 1),
  };
  state = new AuthorityState(new AuthorityDispatcher());
  tokens = new AccessTokens(
    { accessTtlSeconds: 300 } as Config,
    new JwtService({}),
    keys as unknown as SigningKeys,
    { value: ISSUER } as PublicUrl,
    state,
    {
      tokenAccepted: (session: string, generation: number) => accepted.push([session, generation]),
    } as unknown as SessionActivity,
    { require: async () => undefined } as unknown as StandingSessions,
  );
});

const now = () => Math.floor(Date.now() / 1000);
const header = () => ({ alg: 'ES256', typ: 'at+jwt', kid });
const claims = () => ({
  iss: ISSUER,
  aud: ISSUER,
  sub: principal.userId,
  tid: principal.tenantId,
  sid: principal.sessionId,
  jti: newId(),
  iat: now(),
  exp: now() + 300,
});
const b64 = (text: string) => Buffer.from(text).toString('base64url');
const without = <T extends object>(object: T, name: keyof T) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

/** Signed with our own key, so that only the strictness under test can refuse it. */
function forge(head: unknown = header(), body: unknown = claims(), key = privateKey): string {
  const text = (value: unknown) => b64(typeof value === 'string' ? value : JSON.stringify(value));
  const input = `${text(head)}.${text(body)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function refusal(token: string): string {
  try {
    tokens.verify(token);
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    return (error as DomainError).code;
  }
  return 'accepted';
}

describe('a token we minted', () => {
  test('is accepted and names its principal, its key and its end', () => {
    const minted = tokens.mint(principal, {
      generation: 7,
      sessionExpiresAtMs: Date.now() + 1e9,
      ttlSeconds: null,
    });
    const token = tokens.verify(minted.token);
    expect(token).toMatchObject({
      principal,
      kid,
      issuedAtMs: minted.issuedAtMs,
      expiresAtMs: minted.expiresAtMs,
    });
    expect(token.deadlineMs - performance.now()).toBeLessThanOrEqual(
      minted.expiresAtMs - Date.now() + 50,
    );
  });

  test('has exactly the header and claims of the contract', () => {
    const { token } = tokens.mint(principal, {
      generation: 1,
      sessionExpiresAtMs: Date.now() + 1e9,
      ttlSeconds: null,
    });
    const [head, body] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(head!)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid });
    expect(Object.keys(JSON.parse(body!)).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
      'tid',
    ]);
  });

  test('tells the session which refresh generation reached its client', () => {
    const { token } = tokens.mint(principal, {
      generation: 4711,
      sessionExpiresAtMs: Date.now() + 1e9,
      ttlSeconds: null,
    });
    expect(generationOf(tokens.verify(token).jti)).toBe(4711);
    expect(accepted.at(-1)).toEqual([principal.sessionId, 4711]);
  });

  test('does not outlive its session', () => {
    const end = Date.now() + 20_000;
    expect(
      tokens.mint(principal, { generation: 1, sessionExpiresAtMs: end, ttlSeconds: null })
        .expiresAtMs,
    ).toBeLessThanOrEqual(end);
    expect(() =>
      tokens.mint(principal, { generation: 1, sessionExpiresAtMs: Date.now(), ttlSeconds: null }),
    ).toThrow(expect.objectContaining({ code: 'session_expired' }));
  });
});

test('a forged token that is right in everything is accepted: the table below refuses for the reason it names', () => {
  expect(refusal(forge())).toBe('accepted');
});

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const MUST_REJECT: [name: string, make: () => string][] = [
  ['an empty text', () => ''],
  ['two parts', () => forge().split('.').slice(0, 2).join('.')],
  ['four parts', () => `${forge()}.x`],
  ['no signature', () => `${forge().split('.').slice(0, 2).join('.')}.`],
  ['a signature of another key', () => forge(header(), claims(), other)],
  [
    'a changed payload',
    () => {
      const [h, , s] = forge().split('.');
      return `${h}.${b64(JSON.stringify({ ...claims(), sub: newId() }))}.${s}`;
    },
  ],
  [
    'spare bits in base64url',
    () => {
      const token = forge();
      const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const at = last.indexOf(token.at(-1)!);
      return token.slice(0, -1) + last[at ^ 1];
    },
  ],
  ['standard base64', () => `${forge()}=`],
  ['white space around it', () => ` ${forge()}`],
  ['more than 8 KiB', () => forge(header(), { ...claims(), jti: 'x'.repeat(9000) })],
  [
    'alg none',
    () => `${b64(JSON.stringify({ ...header(), alg: 'none' }))}.${b64(JSON.stringify(claims()))}.`,
  ],
  ['alg none with a signature', () => forge({ ...header(), alg: 'none' })],
  [
    'alg HS256 keyed by the public key',
    () => {
      const input = `${b64(JSON.stringify({ ...header(), alg: 'HS256' }))}.${b64(JSON.stringify(claims()))}`;
      return `${input}.${createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' }))
        .update(input)
        .digest('base64url')}`;
    },
  ],
  ['alg ES384', () => forge({ ...header(), alg: 'ES384' })],
  ['no alg', () => forge(without(header(), 'alg'))],
  ['typ JWT', () => forge({ ...header(), typ: 'JWT' })],
  ['typ application/at+jwt', () => forge({ ...header(), typ: 'application/at+jwt' })],
  ['typ refresh+jwt', () => forge({ ...header(), typ: 'refresh+jwt' })],
  ['no typ', () => forge(without(header(), 'typ'))],
  ['no kid', () => forge(without(header(), 'kid'))],
  ['an unknown kid', () => forge({ ...header(), kid: 'A'.repeat(43) })],
  ['a kid that is a path', () => forge({ ...header(), kid: '../../dev/null' })],
  ['crit', () => forge({ ...header(), crit: ['exp'] })],
  ['b64', () => forge({ ...header(), b64: true })],
  ['jwk in the header', () => forge({ ...header(), jwk: publicKey.export({ format: 'jwk' }) })],
  ['jku in the header', () => forge({ ...header(), jku: 'https://evil.example.com' })],
  [
    'a duplicate header member',
    () => forge(`{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"${kid}"}`),
  ],
  [
    'a duplicate claim',
    () => forge(header(), `${JSON.stringify(claims()).slice(0, -1)},"exp":${now() + 300}}`),
  ],
  [
    'an escaped duplicate claim',
    () => forge(header(), `${JSON.stringify(claims()).slice(0, -1)},"\\u0065xp":${now() + 300}}`),
  ],
  [
    'a claim __proto__',
    () => forge(header(), `${JSON.stringify(claims()).slice(0, -1)},"__proto__":{}}`),
  ],
  ['a payload that is not an object', () => forge(header(), '[]')],
  ['a payload that is not JSON', () => forge(header(), 'x')],
  ['a byte order mark', () => forge(header(), `\uFEFF${JSON.stringify(claims())}`)],
  ['an extra claim', () => forge(header(), { ...claims(), role: 'admin' })],
  ['nbf', () => forge(header(), { ...claims(), nbf: now() })],
  ...(['iss', 'aud', 'sub', 'tid', 'sid', 'jti', 'iat', 'exp'] as const).flatMap(
    (name): [string, () => string][] => [
      [`no ${name}`, () => forge(header(), without(claims(), name))],
      [`${name} null`, () => forge(header(), { ...claims(), [name]: null })],
      [`${name} in a list`, () => forge(header(), { ...claims(), [name]: [claims()[name]] })],
    ],
  ),
  ['exp in milliseconds', () => forge(header(), { ...claims(), exp: (now() + 300) * 1000 })],
  ['exp as text', () => forge(header(), { ...claims(), exp: String(now() + 300) })],
  [
    'exp 1e400',
    () => forge(header(), JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400')),
  ],
  ['exp with a fraction', () => forge(header(), { ...claims(), exp: now() + 300.5 })],
  ['exp before iat', () => forge(header(), { ...claims(), exp: now() - 1 })],
  [
    'iat and exp in milliseconds',
    () => forge(header(), { ...claims(), iat: now() * 1000, exp: now() * 1000 + 300 }),
  ],
  ['iat in the future', () => forge(header(), { ...claims(), iat: now() + 7, exp: now() + 307 })],
  ['iat negative', () => forge(header(), { ...claims(), iat: -1 })],
  ['a life of 901 s', () => forge(header(), { ...claims(), exp: now() + 901 })],
  ['a life of ten years', () => forge(header(), { ...claims(), exp: now() + 315_360_000 })],
  ['another issuer', () => forge(header(), { ...claims(), iss: 'https://evil.example.com' })],
  ['an issuer with a slash', () => forge(header(), { ...claims(), iss: `${ISSUER}/` })],
  ['another audience', () => forge(header(), { ...claims(), aud: 'https://evil.example.com' })],
  ['a sub that is no UUID', () => forge(header(), { ...claims(), sub: 'admin' })],
  [
    'a sub in capitals',
    () => forge(header(), { ...claims(), sub: principal.userId.toUpperCase() }),
  ],
  ['a refresh token', () => mintRefreshToken(newRefreshFamily(), principal.sessionId, 1).text],
  ['a ticket', () => `wr_tk_${'A'.repeat(43)}`],
];

test.each(MUST_REJECT)('%s is auth_invalid', (_name, make) => {
  expect(refusal(make())).toBe('auth_invalid');
});

describe('time', () => {
  test('iat up to 5 s ahead is another node`s clock', () => {
    expect(refusal(forge(header(), { ...claims(), iat: now() + 4, exp: now() + 304 }))).toBe(
      'accepted',
    );
  });

  test('an expired token is token_expired, without leeway', () => {
    expect(refusal(forge(header(), { ...claims(), iat: now() - 300, exp: now() }))).toBe(
      'token_expired',
    );
  });

  test('an expired token that is wrong in something else is auth_invalid', () => {
    expect(
      refusal(
        forge(header(), {
          ...claims(),
          iat: now() - 300,
          exp: now() - 1,
          aud: 'https://evil.example.com',
        }),
      ),
    ).toBe('auth_invalid');
    expect(refusal(forge(header(), { ...claims(), iat: now() - 300, exp: now() - 1 }, other))).toBe(
      'auth_invalid',
    );
  });
});

describe('an end meanwhile', () => {
  test.each(['session_revoked', 'session_expired', 'token_reuse', 'user_suspended'] as const)(
    'a session that ended with %s refuses its tokens so',
    (reason) => {
      const session = newId();
      const token = forge(header(), { ...claims(), sid: session });
      expect(refusal(token)).toBe('accepted');
      state.apply({ kind: 'session.ended', sessions: [session], reason }, null);
      expect(refusal(token)).toBe(reason);
    },
  );

  test('a disabled tenant refuses its tokens, until it is active again', () => {
    const tenant = newId();
    const token = forge(header(), { ...claims(), tid: tenant });
    state.apply(
      { kind: 'tenant.changed', tenant, state: 'disabled', allow_guests: false, version: 2 },
      at(1),
    );
    expect(refusal(token)).toBe('tenant_disabled');
    state.apply(
      { kind: 'tenant.changed', tenant, state: 'active', allow_guests: false, version: 3 },
      at(2),
    );
    expect(refusal(token)).toBe('accepted');
  });
});

test('an unknown kid makes the node read its keys again, and who can wait is judged after that', async () => {
  const before = reloads;
  const token = forge({ ...header(), kid: 'B'.repeat(43) });
  expect(refusal(token)).toBe('auth_invalid');
  await expect(tokens.verifyWithKeyReload(token)).rejects.toMatchObject({ code: 'auth_invalid' });
  expect(reloads).toBe(before + 2);
});

test('no refusal repeats the token', () => {
  for (const [, make] of MUST_REJECT) {
    const token = make();
    try {
      tokens.verify(token);
    } catch (error) {
      const { message, detail } = error as DomainError;
      expect(token.length > 20 && `${message} ${detail}`.includes(token.slice(0, 20))).toBe(false);
    }
  }
});

test('a withdrawn key refuses what it signed with token_revoked', () => {
  const token = forge();
  state.apply({ kind: 'key.withdrawn', kid }, null);
  expect(refusal(token)).toBe('token_revoked');
  state.load({ at: at(0), historyAtMs: null, ended: [], disabledTenants: [], withdrawnKeys: [] });
});
