/**
 * Asking an issuer: a few seconds, a bounded answer, no redirect to where the configuration did not
 * point.
 */
import { monotonicMs } from '../../platform/clock.js';

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 256 * 1024;
const PAUSE_MS = 2_000;

/** The issuer could not be asked: trouble of ours or theirs, nobody's wrong token. */
export class IssuerUnavailable extends Error {}

/** As `fetch`, whatever the status. Throws IssuerUnavailable. */
export async function boundedFetch(url: string, init: RequestInit): Promise<Response> {
  try {
    const { body, status, headers } = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > BYTES_MAX) throw new Error(`answered more than ${BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, headers });
  } catch (error) {
    throw new IssuerUnavailable(`${url}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Reads a document of an issuer. After a failure there is a pause, so that a dead issuer is not
 * asked once for every login that names it.
 */
export class IssuerDocument<T> {
  private failedMs = -Infinity;

  /** `read` throws for a document that is no good. */
  constructor(private readonly read: (document: unknown) => T) {}

  async get(url: string): Promise<T> {
    if (monotonicMs() - this.failedMs < PAUSE_MS)
      throw new IssuerUnavailable(`${url}: failed a moment ago`);
    try {
      const response = await boundedFetch(url, { headers: { accept: 'application/json' } });
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
      return this.read(await response.json());
    } catch (error) {
      this.failedMs = monotonicMs();
      if (error instanceof IssuerUnavailable) throw error;
      throw new IssuerUnavailable(`${url}: ${(error as Error).message}`, { cause: error });
    }
  }
}
