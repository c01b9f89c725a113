/**
 * docs/benchmarks-revocation.md from bench/results/revocation.json: `node
 * bench/revocation/report.mjs`.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const resultsFile = fileURLToPath(new URL('../results/revocation.json', import.meta.url));
const page = fileURLToPath(new URL('../../docs/benchmarks-revocation.md', import.meta.url));
/** The contract's promise, and what a waiter needs on top of the lease (docs/authority.md). */
const HEALTHY_P99_MS = 50;
const FAULT_SLACK_MS = 250;

export function writeReport(report) {
  writeFileSync(page, text(report));
}

export function table({ runs, settings }) {
  return [
    '| nodes | idle connections | broken | samples | receipt, ms (p50 / p99 / max) | last frame of the room, ms | last byte of all, ms | target | |',
    '|---|---|---|---|---|---|---|---|---|',
    ...runs.map((run) => {
      const { nodes, idle_connections, fault, samples } = run;
      const { words, met } = verdict(run, settings);
      const lastByte = fault === 'none' ? cell(samples, 'last_byte_ms') : '';
      const cells = [
        nodes,
        idle_connections,
        fault,
        samples.length,
        cell(samples, 'receipt_ms'),
        cell(samples, 'last_room_frame_ms'),
        lastByte,
        words,
      ];
      return `| ${cells.join(' | ')} | ${met ? 'met' : '**missed**'} |`;
    }),
  ].join('\n');
}

function verdict({ fault, samples }, { leaseMs }) {
  const effective = samples.every((sample) => sample.effective);
  const receipts = samples.map((sample) => sample.receipt_ms);
  if (fault === 'none')
    return {
      words: `p99 <= ${HEALTHY_P99_MS}`,
      met: effective && quantile(receipts, 0.99) <= HEALTHY_P99_MS,
    };
  const most = leaseMs + FAULT_SLACK_MS;
  return { words: `max <= ${most}`, met: effective && Math.max(...receipts) <= most };
}

function text(report) {
  const { machine, commit, at, command, settings, comparison_ns: cost } = report;
  return `# How fast access ends

This page is generated from [bench/results/revocation.json](../bench/results/revocation.json) by \`node bench/revocation/report.mjs\`; do not edit it.

A session has a socket on every node, each subscribed to a room in which somebody talks every 20 ms on every node. An operator ends the session with
\`POST /v1/admin/revocations\`. Measured from sending that call, on the clock of the client: until the receipt, until the last frame of the room that any of the
sockets heard, and (healthy) until the last byte of all, which is the close. Every receipt of every sample said \`effective\`, or the target is missed.

Healthy: one revocation after the other. Broken: ${settings.rounds} rounds a fault, in each of which the fault comes first, at a random moment, then several sessions are ended at
once through a node that can still answer. The bound is B = ${settings.leaseMs} ms (\`AUTHORITY_LEASE_MS\`); \`fenced\` is said after B x 1.01 + 50 ms.

${table(report)}

Comparing lease, clock, expiry and deadness before a socket write: ${cost.median.toFixed(0)} ns (${cost.min.toFixed(0)}..${cost.max.toFixed(0)}), reading the clock included.

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.system}, kernel ${machine.kernel}, Node ${machine.node}; ${machine.stores.join(', ')}. Nodes, stores, sockets and the
  observer share these cores. Load average at the end: ${machine.load_average_at_end}.
- Commit ${commit}, ${at.slice(0, 16).replace('T', ' ')} UTC. \`${command}\`
`;
}

function cell(samples, field) {
  const numbers = samples.map((sample) => sample[field]);
  return [0.5, 0.99, 1].map((q) => quantile(numbers, q).toFixed(1)).join(' / ');
}

function quantile(numbers, q) {
  return numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * q) - 1)];
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  writeReport(JSON.parse(readFileSync(resultsFile, 'utf8')));
