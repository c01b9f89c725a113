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
 * count. A node also works for itself, and a busy machine has cold caches: what is over `budget` is
 * measured again, twice at most.
 */
export async function cpuMsOf(
  internalUrl: string,
  { n, budget }: { n: number; budget: number },
  act: (i: number) => Promise<unknown>,
): Promise<number> {
  let made = 0;
  const calls = async (): Promise<void> => {
    const first = made;
    made += n;
    await inTens(n, (i) => act(first + i));
  };
  await calls();
  let least = Infinity;
  for (let tries = 0; tries < 3 && least >= budget; tries += 1) {
    const before = await cpuSeconds(internalUrl);
    await calls();
    least = Math.min(least, ((await cpuSeconds(internalUrl)) - before) * (1000 / n));
  }
  return least;
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
