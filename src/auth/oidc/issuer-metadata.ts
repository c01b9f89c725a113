/**
 * The metadata of an external issuer (OpenID Connect Discovery 1.0): read when they are needed, and
 * again after an hour.
 */
import * as z from 'zod';
import { monotonicMs } from '../../platform/clock.js';
import { IssuerDocument } from './bounded-fetch.js';

/** An issuer that moves its key set is followed after this. */
const REDISCOVER_MS = 3_600_000;

/** More is asked of an issuer that people sign in at (issuer-client.ts). */
const metadataSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }),
});
export type Metadata = z.infer<typeof metadataSchema>;

export class IssuerMetadata {
  private found: { metadata: Metadata; atMs: number } | null = null;
  private looking: Promise<Metadata> | null = null;

  private readonly document = new IssuerDocument((document) => this.read(document));

  constructor(private readonly issuer: string) {}

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

  private discover(): Promise<Metadata> {
    return this.document.get(`${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  }

  /** Section 4.3: the document has to name this issuer. */
  private read(document: unknown): Metadata {
    const { success, data } = metadataSchema.safeParse(document);
    if (!success || data.issuer !== this.issuer) throw new Error('not the metadata of this issuer');
    if (this.issuer.startsWith('https:') && !data.jwks_uri.startsWith('https:'))
      throw new Error('a key set without https');
    return data;
  }
}
