import type { Readiness } from './pages/overview.js';

const PATIENCE_MS = 3_000;

/** The public health check. 503 is an answer, too; null: there was none. */
export async function readReadiness(base: string): Promise<Readiness | null> {
  try {
    const answer = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const body = (await answer.json()) as Readiness;
    return typeof body.details === 'object' ? body : null;
  } catch {
    return null;
  }
}
