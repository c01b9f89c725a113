/**
 * Reading JSON from an issuer: a few seconds, a bounded answer, no redirect to where the
 * configuration did not point, and after a failure a pause, so that a dead issuer is not asked once
 * for every login that names it.
 */
import { monotonicMs } from '../../platform/clock.js';

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 256 * 1024;
const PAUSE_MS = 2_000;

/** The issuer could not be asked: trouble of ours or theirs, nobody's wrong token. */
export class IssuerUnavailable extends Error {}

export class BoundedFetch {
  private failedMs = -Infinity;

  async json(url: string): Promise<unknown> {
    if (monotonicMs() - this.failedMs < PAUSE_MS)
      throw new IssuerUnavailable(`${url}: failed a moment ago`);
    try {
      return JSON.parse(await read(url)) as unknown;
    } catch (error) {
      this.failedMs = monotonicMs();
      throw new IssuerUnavailable(`${url}: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function read(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Error(`answered more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
