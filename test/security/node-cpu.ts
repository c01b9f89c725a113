/** The CPU time of a node's process, as it reports it, and calls that cost the caller little. */
import { Agent, request } from 'node:http';

const CPU = /^wardroom_process_cpu_seconds_total (\S+)$/m;
const BESIDE_EACH_OTHER = 10;
const agent = new Agent({ keepAlive: true, maxSockets: BESIDE_EACH_OTHER });

export async function cpuSeconds(internalUrl: string): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return Number(CPU.exec(text)![1]);
}

/**
 * Milliseconds of CPU for each of `n` calls, ten at a time; as many before, which compile, do not
 * count.
 */
export async function cpuMsOf(
  internalUrl: string,
  n: number,
  act: (i: number) => Promise<unknown>,
): Promise<number> {
  await inTens(n, act);
  const before = await cpuSeconds(internalUrl);
  await inTens(n, (i) => act(n + i));
  return ((await cpuSeconds(internalUrl)) - before) * (1000 / n);
}

/** Answers the status; what is sent back is read and forgotten. */
export function visit(
  url: string,
  method = 'GET',
  headers: Record<string, string> = {},
  body?: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!));
    });
    sent.on('error', reject).end(body);
  });
}

async function inTens(n: number, act: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < n; i += BESIDE_EACH_OTHER)
    await Promise.all(
      Array.from({ length: Math.min(BESIDE_EACH_OTHER, n - i) }, (_, j) => act(i + j)),
    );
}
