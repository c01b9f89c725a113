/** A signing key at rest: its public half as JWK, its private half sealed under the current SECRET_KEY. */
import { calculateJwkThumbprint } from 'jose';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Prisma } from '../platform/generated/client.js';
import { deriveKey, seal, unseal } from './sealed-box.js';

const PURPOSE = 'wardroom signing key';

/** A new ES256 key; its kid is the RFC 7638 thumbprint, so it says which key it is and nothing else. */
export async function createSigningKey(secret: string, signsFrom: Date): Promise<Prisma.SigningKeyCreateInput> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const publicJwk = publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicJwk as Parameters<typeof calculateJwkThumbprint>[0]);
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  return { kid, alg: 'ES256', publicJwk: publicJwk as Prisma.InputJsonObject, wrapped: wrapSigningKey(kid, pkcs8, secret), signsFrom };
}

export function wrapSigningKey(kid: string, pkcs8: Buffer, secret: string): Buffer<ArrayBuffer> {
  return seal(deriveKey(secret, PURPOSE), pkcs8, kid);
}

/** Tries every SECRET_KEY; null when none opens it. */
export function unwrapSigningKey(row: { kid: string; wrapped: Uint8Array }, secrets: readonly string[]): Buffer | null {
  for (const secret of secrets) {
    const pkcs8 = unseal(deriveKey(secret, PURPOSE), row.wrapped, row.kid);
    if (pkcs8 !== null) return pkcs8;
  }
  return null;
}

/** False: a former SECRET_KEY opened it, so it is to be wrapped again before that one is dropped. */
export function isWrappedByCurrent(row: { kid: string; wrapped: Uint8Array }, secrets: readonly string[]): boolean {
  return unwrapSigningKey(row, secrets.slice(0, 1)) !== null;
}
