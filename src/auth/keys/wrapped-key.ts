/**
 * A signing key at rest: its public half as JWK, its private half sealed under the current
 * SECRET_KEY.
 */
import { calculateJwkThumbprint } from 'jose';
import { generateKeyPair } from 'node:crypto';
import type { KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import type { Prisma } from '../../platform/generated/client.js';
import { deriveKey, seal, unseal } from '../../platform/sealed-box.js';

/**
 * The algorithms we sign with; verified by the algorithm of the key, never by that of the token.
 */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const RSA_BITS = 2048;
const PURPOSE = 'wardroom signing key';

/** A new key; its kid is the RFC 7638 thumbprint, so it says which key it is and nothing else. */
export async function createSigningKey(
  secret: string,
  signsFrom: Date,
  alg: SigningAlgorithm = 'ES256',
): Promise<Prisma.SigningKeyCreateInput> {
  const { publicKey, privateKey } = await generate(alg);
  const publicJwk = publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(
    publicJwk as Parameters<typeof calculateJwkThumbprint>[0],
  );
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  return {
    kid,
    alg,
    publicJwk: publicJwk as Prisma.InputJsonObject,
    wrapped: wrapSigningKey(kid, pkcs8, secret),
    signsFrom,
  };
}

function generate(alg: SigningAlgorithm): Promise<KeyPairKeyObjectResult> {
  const make = promisify(generateKeyPair);
  return alg === 'ES256'
    ? make('ec', { namedCurve: 'P-256' })
    : make('rsa', { modulusLength: RSA_BITS });
}

export function wrapSigningKey(kid: string, pkcs8: Buffer, secret: string): Buffer<ArrayBuffer> {
  return seal(deriveKey(secret, PURPOSE), pkcs8, kid);
}

/** Tries every SECRET_KEY; null when none opens it. */
export function unwrapSigningKey(
  row: { kid: string; wrapped: Uint8Array },
  secrets: readonly string[],
): Buffer | null {
  for (const secret of secrets) {
    const pkcs8 = unseal(deriveKey(secret, PURPOSE), row.wrapped, row.kid);
    if (pkcs8 !== null) return pkcs8;
  }
  return null;
}

/**
 * False: a former SECRET_KEY opened it, so it is to be wrapped again before that one is dropped.
 */
export function isWrappedByCurrent(
  row: { kid: string; wrapped: Uint8Array },
  secrets: readonly string[],
): boolean {
  return unwrapSigningKey(row, secrets.slice(0, 1)) !== null;
}
