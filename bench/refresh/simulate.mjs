/**
 * Promise P5 for more sessions than a machine holds: tokens minted together by several nodes, and
 * when their clients refresh them, by the very functions of the server. Each refresh gets a token
 * from whichever node answered it, for as many waves as asked. No server is started.
 *
 *   node bench/refresh/simulate.mjs [--sessions 100000] [--nodes 5] [--ttl 300] [--seconds 1] [--minutes 30]
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const BIN_MS = 5_000;
/** Of a token's clock; the minting begins at an odd moment of a second. */
const START_MS = 1_700_000_000_600;

/**
 * @param {{ LifetimeSequence: new (ttl: number, start?: number) => { next(): number },
 * refreshWindow: (issued: number, expires: number, now: number) => { refresh_after_ms: number } }}
 * server
 * @param {{ sessions: number, nodes: number, ttl: number, mintMs: number, untilMs?: number }} load
 * @returns {{ first: number[], all: number[] }} moments of the refreshes, ms after the first
 * minting: of the first wave, and all until `untilMs`
 */
export function simulate(
  { LifetimeSequence, refreshWindow },
  { sessions, nodes, ttl, mintMs, untilMs = 0 },
) {
  const sequences = Array.from({ length: nodes }, () => new LifetimeSequence(ttl));
  const next = (nowMs) => {
    const issuedMs = Math.floor(nowMs / 1000) * 1000;
    const life = sequences[Math.floor(Math.random() * nodes)].next();
    return nowMs + refreshWindow(issuedMs, issuedMs + life * 1000, nowMs).refresh_after_ms;
  };
  const first = Array.from({ length: sessions }, (_, i) =>
    next(START_MS + (i / sessions) * mintMs),
  );
  const all = [];
  // A wave after the other; of one session the refreshes follow each other, so the order among
  // sessions does not matter.
  for (let wave = first; wave.length > 0; wave = wave.map(next)) {
    wave = wave.filter((at) => at - START_MS < untilMs).toSorted((a, b) => a - b);
    for (const at of wave) all.push(at - START_MS);
  }
  return { first: first.map((at) => at - START_MS), all };
}

/**
 * The fullest bin over the mean of all bins from the first moment to the last, wherever the bins
 * begin.
 */
export function peakToMean(times, binMs = BIN_MS) {
  const [first, last] = span(times);
  return fullestBin(times, binMs) / (times.length / Math.max(1, (last - first) / binMs));
}

/** How many of these moments fall into one bin at most, wherever it begins. */
export function fullestBin(times, binMs = BIN_MS) {
  const sorted = times.toSorted((a, b) => a - b);
  let fullest = 0;
  let from = 0;
  for (let to = 0; to < sorted.length; to += 1) {
    while (sorted[to] - sorted[from] >= binMs) from += 1;
    fullest = Math.max(fullest, to - from + 1);
  }
  return fullest;
}

const span = (times) =>
  times.reduce(([from, to], at) => [Math.min(from, at), Math.max(to, at)], [Infinity, -Infinity]);

async function main() {
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '100000' },
      nodes: { type: 'string', default: '5' },
      ttl: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '30' },
    },
  });
  const [sessions, nodes, ttl] = [
    Number(values.sessions),
    Number(values.nodes),
    Number(values.ttl),
  ];
  const server = await import(
    new URL('../../dist/auth/tokens/token-lifetimes.js', import.meta.url).href
  );
  const { first, all } = simulate(server, {
    sessions,
    nodes,
    ttl,
    mintMs: Number(values.seconds) * 1000,
    untilMs: Number(values.minutes) * 60_000,
  });
  const [from, to] = span(first);
  const mean = (first.length / (to - from)) * BIN_MS;
  const ratio = peakToMean(first);
  console.log(`${sessions} tokens of ${ttl} s minted by ${nodes} nodes within ${values.seconds} s`);
  console.log(
    `  refreshed between ${(from / 1000).toFixed(1)} s and ${(to / 1000).toFixed(1)} s, in the mean ${mean.toFixed(0)} in ${BIN_MS / 1000} s`,
  );
  console.log(`  fullest ${BIN_MS / 1000} s, wherever they begin: ${ratio.toFixed(3)} x the mean`);
  const later = fullestBin(all) / mean;
  console.log(
    `  fullest ${BIN_MS / 1000} s of the next ${values.minutes} minutes (${all.length} refreshes): ${later.toFixed(3)} x the mean of the first wave`,
  );
  if (ratio > 1.3 || later > 1.3) process.exitCode = 1;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  await main();
