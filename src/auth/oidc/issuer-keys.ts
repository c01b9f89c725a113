/**
 * The key set of one external issuer: found by discovery or named in ISSUERS_FILE, kept, read again
 * at an unknown kid.
 */
import { createRemoteJWKSet, customFetch } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import type { Issuer } from '../../platform/config/issuers-file.js';
import { IssuerDocument } from './bounded-fetch.js';
import type { IssuerMetadata } from './issuer-metadata.js';

export class IssuerKeys {
  private readonly document = new IssuerDocument(soundKeys);
  private found: { jwksUri: string; keys: JWTVerifyGetKey } | null = null;

  constructor(
    private readonly issuer: Issuer,
    private readonly metadata: IssuerMetadata,
  ) {}

  async get(): Promise<JWTVerifyGetKey> {
    const jwksUri = this.issuer.jwks_uri ?? (await this.metadata.get()).jwks_uri;
    if (this.found?.jwksUri !== jwksUri) this.found = { jwksUri, keys: this.keySet(jwksUri) };
    return this.found.keys;
  }

  private keySet(jwksUri: string): JWTVerifyGetKey {
    return createRemoteJWKSet(new URL(jwksUri), {
      cooldownDuration: this.issuer.jwks_cooldown_seconds * 1000,
      [customFetch]: async (url) => Response.json(await this.document.get(url)),
    });
  }
}

/**
 * Without RSA keys whose exponent lets anybody sign (1) or is no exponent at all; `jose` looks at
 * their size only.
 */
export function soundKeys(set: unknown): unknown {
  const { keys } = (set ?? {}) as { keys?: unknown };
  return Array.isArray(keys) ? { ...(set as object), keys: keys.filter(isSound) } : set;
}

function isSound(key: { kty?: unknown; e?: unknown } | null): boolean {
  if (key?.kty !== 'RSA') return true;
  const exponent =
    typeof key.e === 'string'
      ? BigInt(`0x0${Buffer.from(key.e, 'base64url').toString('hex')}`)
      : 0n;
  return exponent > 1n && exponent % 2n === 1n;
}
