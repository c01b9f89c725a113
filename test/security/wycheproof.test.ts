/**
 * Forged and broken signatures (C2SP/wycheproof) against the functions that verify: ours for access
 * tokens, and the one for the tokens of external issuers. None that must be refused is accepted.
 * Where we are stricter is listed and counted.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { compactVerify, createLocalJWKSet } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { AccessTokens, isSignedBy } from '../../src/auth/tokens/access-token.js';
import { soundKeys } from '../../src/auth/oidc/issuer-keys.js';
import type { PublicUrl } from '../../src/auth/tokens/public-url.js';
import type { SigningKeys } from '../../src/auth/keys/signing-keys.js';
import { readTokenShape } from '../../src/auth/tokens/token-shape.js';
import { AuthorityDispatcher } from '../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../src/authority/authority-state.js';
import type { Config } from '../../src/platform/config/config.js';
import type { SessionActivity } from '../../src/sessions/session-activity.js';
import type { StandingSessions } from '../../src/sessions/standing-sessions.js';
import { describeVectors } from './vectors.js';

interface Vector {
  tcId: number;
  comment: string;
  jws?: string;
  result: 'valid' | 'invalid' | 'acceptable';
}

interface Group {
  comment: string;
  private: any;
  public?: any;
  tests: Vector[];
}

interface Vectors {
  testGroups: Group[];
}

const OURS = ['ES256', 'RS256'];
const KID = 'A'.repeat(43);
let state: AuthorityState;

beforeAll(() => {
  state = new AuthorityState(new AuthorityDispatcher());
});

const named = (group: Group, { tcId, comment }: Vector): string =>
  `${group.comment} ${tcId} ${comment}`;
const jwkOf = (group: Group): any => group.public ?? group.private;
const keysOf = (group: Group): any[] => jwkOf(group).keys ?? [jwkOf(group)];
const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** The public half as node:crypto takes it; null for a secret or a broken key. */
function publicKeyOf(jwk: any): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return null;
  }
}

/** The verifier of access tokens, as if this key were ours under every name. */
function verifierWith(alg: string, publicKey: KeyObject): AccessTokens {
  const find = (kid: string) => ({ kid, alg, publicKey, retiredAtMs: null });
  const keys = { find, reload: async () => undefined } as unknown as SigningKeys;
  const activity = { tokenAccepted: () => undefined } as unknown as SessionActivity;
  const standing = { require: async () => undefined } as unknown as StandingSessions;
  return new AccessTokens(
    { accessTtlSeconds: 300 } as Config,
    new JwtService({}),
    keys,
    { value: 'https://x' } as PublicUrl,
    state,
    activity,
    standing,
  );
}

const accepts = (verifier: AccessTokens, token: string): boolean => {
  try {
    verifier.verify(token);
    return true;
  } catch {
    return false;
  }
};

/** Every vector with a compact JWS, with each of its keys that could be one of ours. */
function* cases({ testGroups }: Vectors): Generator<{
  group: Group;
  vector: Vector;
  jws: string;
  jwk: any;
  publicKey: KeyObject;
}> {
  for (const group of testGroups) {
    for (const jwk of keysOf(group)) {
      const publicKey = publicKeyOf(jwk);
      if (publicKey === null || !['ec', 'rsa'].includes(publicKey.asymmetricKeyType!)) continue;
      for (const vector of group.tests)
        if (typeof vector.jws === 'string')
          yield { group, vector, jws: vector.jws, jwk, publicKey };
    }
  }
}

const FILES = ['json_web_signature_test', 'json_web_crypto_test', 'json_web_key_test'];

for (const file of FILES) {
  describeVectors(file, `wycheproof/${file}.json`, (vectors: Vectors) => {
    test('as access tokens: none is accepted, valid or not, because none has our shape', () => {
      const accepted: string[] = [];
      let tried = 0;
      for (const { group, vector, jws, jwk, publicKey } of cases(vectors)) {
        for (const alg of OURS) {
          tried += 1;
          if (accepts(verifierWith(alg, publicKey), jws))
            accepted.push(`${named(group, vector)} ${jwk.kid}`);
        }
      }
      expect(accepted).toEqual([]);
      expect(tried).toBeGreaterThan(5);
    });

    test('their signatures under a header and claims of ours: none is accepted', () => {
      const accepted: string[] = [];
      for (const { group, vector, jws, publicKey } of cases(vectors)) {
        const signature = jws.split('.')[2] ?? '';
        for (const alg of OURS) {
          const token = `${base64url({ alg, typ: 'at+jwt', kid: KID })}.${base64url({ iss: 'https://x' })}.${signature}`;
          if (readTokenShape(token) !== null && verifies(alg, publicKey, token))
            accepted.push(named(group, vector));
        }
      }
      expect(accepted).toEqual([]);
    });

    test('the bare signature check: no forgery is accepted, and what is valid is but for what is listed', () => {
      const forged: string[] = [];
      const stricter: string[] = [];
      let valid = 0;
      for (const { group, vector, jws, publicKey } of cases(vectors)) {
        const alg = algOf(jws);
        if (alg === null || !fits(alg, publicKey)) continue;
        const verified = isCanonical(jws) && verifies(alg, publicKey, jws);
        if (verified && vector.result === 'valid') valid += 1;
        if (verified && vector.result === 'invalid') forged.push(named(group, vector));
        if (!verified && vector.result !== 'invalid') stricter.push(named(group, vector));
      }
      expect(stricter.filter((name) => !STRICTER.includes(name))).toEqual([]);
      expect(forged.filter((name) => !OF_THE_KEY.some((pattern) => pattern.test(name)))).toEqual(
        [],
      );
      if (file === 'json_web_signature_test') expect(valid).toBeGreaterThan(8);
    });

    test('as tokens of an external issuer: no forgery is accepted', async () => {
      const forged: string[] = [];
      for (const group of vectors.testGroups) {
        for (const vector of group.tests) {
          if (typeof vector.jws !== 'string' || vector.result !== 'invalid') continue;
          const verified = await issuerAccepts({ keys: keysOf(group) }, vector.jws);
          if (verified) forged.push(named(group, vector));
        }
      }
      expect(
        forged.filter((name) => !WEAK_KEY_OF_AN_ISSUER.some((pattern) => pattern.test(name))),
      ).toEqual([]);
    });
  });
}

/** We are stricter: each part of a token has to be there, so an empty payload is refused. */
const STRICTER = ['rs256 259 emptyPayload'];
/**
 * The key makes these invalid - its use, its algorithm, its origin - not the signature; our own
 * keys are made by us.
 */
const OF_THE_KEY = [
  /rejects?WrongUse/,
  /rejectWrongKeyOps/,
  /^ps512 \d+ UsingRS256/,
  /rejectsKeyWithRocaVulnerability/,
  /mismatchedAlgAndCurve/,
  /^invalid_use /,
];
/**
 * Not recognised: an RSA key made by a chip with the ROCA fault. Trust in an issuer includes how it
 * makes its keys.
 */
const WEAK_KEY_OF_AN_ISSUER = [/rejectsKeyWithRocaVulnerability/];
const ISSUER_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

const verifies = (alg: string, publicKey: KeyObject, token: string): boolean => {
  try {
    return isSignedBy({ alg: alg as 'ES256', publicKey }, token);
  } catch {
    return false;
  }
};

/** The algorithm its own header names, if it is one of ours. */
function algOf(jws: string): string | null {
  try {
    const { alg } = JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString());
    return OURS.includes(alg) ? alg : null;
  } catch {
    return null;
  }
}

const fits = (alg: string, key: KeyObject): boolean =>
  alg === 'ES256'
    ? key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    : key.asymmetricKeyType === 'rsa';

/** As readTokenShape asks of every part. */
function isCanonical(jws: string): boolean {
  const parts = jws.split('.');
  return (
    parts.length === 3 &&
    parts.every(
      (part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part,
    )
  );
}

async function issuerAccepts(keys: JSONWebKeySet, token: string): Promise<boolean> {
  try {
    await compactVerify(token, createLocalJWKSet(soundKeys(keys) as JSONWebKeySet), {
      algorithms: ISSUER_ALGORITHMS,
    });
    return true;
  } catch {
    return false;
  }
}

test("of an issuer's keys those are dropped whose exponent lets anybody sign, and no others", () => {
  const rsa = (e: unknown) => ({ kty: 'RSA', n: 'x', e });
  const sound = [rsa('AQAB'), rsa('Aw'), { kty: 'EC' }, null];
  expect(
    soundKeys({
      keys: [...sound, rsa('AQ'), rsa('Ag'), rsa('AAAB'), rsa(''), rsa(undefined)],
      more: 1,
    }),
  ).toEqual({ keys: sound, more: 1 });
  for (const odd of [null, 'x', {}, { keys: 'x' }]) expect(soundKeys(odd)).toBe(odd);
});

describe('the checks of this file can fail', () => {
  test('a signature of a key is found good with this key', async () => {
    const { generateKeyPairSync, sign } = await import('node:crypto');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const input = `${base64url({ alg: 'ES256' })}.${base64url({})}`;
    const token = `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    expect(verifies('ES256', publicKey, token)).toBe(true);
    expect(await issuerAccepts({ keys: [publicKey.export({ format: 'jwk' }) as any] }, token)).toBe(
      true,
    );
  });
});
