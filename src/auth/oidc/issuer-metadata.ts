/**
 * The metadata of an external issuer (OpenID Connect Discovery 1.0): read when they are needed, and
 * again after an hour.
 */
import * as z from 'zod';
import { monotonicMs } from '../../platform/clock.js';
import type { BoundedFetch } from './bounded-fetch.js';
import { IssuerUnavailable } from './bounded-fetch.js';

/** An issuer that moves its key set is followed after this. */
const REDISCOVER_MS = 3_600_000;

const endpoint = z.url({ protocol: /^https?$/ });
const metadataSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: endpoint,
  authorization_endpoint: endpoint.optional(),
  token_endpoint: endpoint.optional(),
  userinfo_endpoint: endpoint.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});
export type Metadata = z.infer<typeof metadataSchema>;
const ENDPOINTS = [
  'jwks_uri',
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
] as const;

export class IssuerMetadata {
  private found: { metadata: Metadata; atMs: number } | null = null;
  private looking: Promise<Metadata> | null = null;

  constructor(
    private readonly issuer: string,
    private readonly source: BoundedFetch,
  ) {}

  /** Throws IssuerUnavailable. */
  get(): Promise<Metadata> {
    if (this.found !== null && monotonicMs() - this.found.atMs < REDISCOVER_MS)
      return Promise.resolve(this.found.metadata);
    this.looking ??= this.look().finally(() => (this.looking = null));
    return this.looking;
  }

  private async look(): Promise<Metadata> {
    const before = this.found;
    try {
      const metadata = await this.discover();
      this.found = { metadata, atMs: monotonicMs() };
      return metadata;
    } catch (error) {
      // Those found before are still the last that the issuer published.
      if (before !== null) return before.metadata;
      throw error;
    }
  }

  /** Section 4.3: what answers for an issuer has to say that it is this issuer. */
  private async discover(): Promise<Metadata> {
    const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { success, data } = metadataSchema.safeParse(await this.source.json(url));
    if (!success || data.issuer !== this.issuer)
      throw new IssuerUnavailable(`${url}: not the metadata of this issuer`);
    for (const name of ENDPOINTS)
      if (this.issuer.startsWith('https:') && data[name]?.startsWith('https:') === false)
        throw new IssuerUnavailable(`${url}: ${name} without https`);
    return data;
  }
}
