/**
 * Asking an issuer: a few seconds, a bounded answer, no redirect to where the configuration did not
 * point, and after a failure a pause, so that a dead issuer is not asked once for every login that
 * names it.
 */
import { monotonicMs } from '../../platform/clock.js';

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 256 * 1024;
const PAUSE_MS = 2_000;

/** The issuer could not be asked: trouble of ours or theirs, nobody's wrong token. */
export class IssuerUnavailable extends Error {}

export class BoundedFetch {
  private failedMs = -Infinity;

  /** The JSON of an answer with status 200. */
  json(url: string): Promise<unknown> {
    return this.ask(url, async () => {
      const response = await bounded(url, { headers: { accept: 'application/json' } });
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
      return response.json();
    });
  }

  /** For a library that reads the answer itself, whatever its status. */
  fetch(url: string, init: RequestInit): Promise<Response> {
    return this.ask(url, () => bounded(url, init));
  }

  private async ask<T>(url: string, run: () => Promise<T>): Promise<T> {
    if (monotonicMs() - this.failedMs < PAUSE_MS)
      throw new IssuerUnavailable(`${url}: failed a moment ago`);
    try {
      return await run();
    } catch (error) {
      this.failedMs = monotonicMs();
      throw new IssuerUnavailable(`${url}: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function bounded(url: string, init: RequestInit): Promise<Response> {
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
}
