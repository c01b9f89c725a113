/**
 * The key set of one external issuer: found by discovery or named in ISSUERS_FILE, kept, read again
 * at an unknown kid.
 */
import { createRemoteJWKSet, customFetch } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import * as z from 'zod';
import { monotonicMs } from '../../platform/clock.js';
import type { Issuer } from '../../platform/config/issuers-file.js';
import { BoundedFetch, IssuerUnavailable } from './bounded-fetch.js';

/** An issuer that moves its key set is followed after this. */
const REDISCOVER_MS = 3_600_000;

const metadataSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }),
});

export class IssuerKeys {
  private readonly source = new BoundedFetch();
  private found: { jwksUri: string; keys: JWTVerifyGetKey; atMs: number } | null = null;
  private looking: Promise<JWTVerifyGetKey> | null = null;

  constructor(private readonly issuer: Issuer) {}

  get(): Promise<JWTVerifyGetKey> {
    const { found, issuer } = this;
    if (
      found !== null &&
      (issuer.jwks_uri !== undefined || monotonicMs() - found.atMs < REDISCOVER_MS)
    )
      return Promise.resolve(found.keys);
    this.looking ??= this.look().finally(() => (this.looking = null));
    return this.looking;
  }

  private async look(): Promise<JWTVerifyGetKey> {
    const before = this.found;
    try {
      const jwksUri = this.issuer.jwks_uri ?? (await this.discover());
      const keys = before?.jwksUri === jwksUri ? before.keys : this.keySet(jwksUri);
      this.found = { jwksUri, keys, atMs: monotonicMs() };
      return keys;
    } catch (error) {
      // The keys found before are still the last that the issuer published.
      if (before !== null) return before.keys;
      throw error;
    }
  }

  /**
   * OpenID Connect Discovery 1.0, section 4: what answers for an issuer has to say that it is this
   * issuer.
   */
  private async discover(): Promise<string> {
    const url = `${this.issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const metadata = metadataSchema.safeParse(await this.source.json(url));
    if (!metadata.success || metadata.data.issuer !== this.issuer.issuer)
      throw new IssuerUnavailable(`${url}: not the metadata of this issuer`);
    const { jwks_uri: jwksUri } = metadata.data;
    if (this.issuer.issuer.startsWith('https:') && !jwksUri.startsWith('https:'))
      throw new IssuerUnavailable(`${url}: a key set without https`);
    return jwksUri;
  }

  private keySet(jwksUri: string): JWTVerifyGetKey {
    return createRemoteJWKSet(new URL(jwksUri), {
      cooldownDuration: this.issuer.jwks_cooldown_seconds * 1000,
      [customFetch]: async (url) => Response.json(soundKeys(await this.source.json(url))),
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
