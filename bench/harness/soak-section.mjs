/** The section of docs/benchmarks.md about the last soak that was long enough to judge memory. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FAST } from '../soak/mix.mjs';
import { show } from './figures.mjs';

/** @param {string} folder @returns {string} '' when there was none */
export function soakSection(folder) {
  const reports = readdirSync(folder)
    .filter((file) => /^soak-.*\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter(({ memory }) => memory.every(({ heap }) => heap !== null))
    .sort((a, b) => a.started.localeCompare(b.started));
  const last = reports.at(-1);
  if (last === undefined) return '';
  const {
    seconds,
    command,
    commit,
    started,
    counts,
    connections,
    receipt_ms: receipts,
    violations,
    trouble,
    memory,
    cpu,
    drift_max: limit,
  } = last;
  const mib = (line) =>
    `${show(line.from / 1024, 2)} -> ${show(line.to / 1024, 2)} (${show(line.drift * 100, 2)} %)`;
  const rows = [
    ['connections', show(connections, 0)],
    ...Object.entries(counts).map(([name, count]) => [name.replaceAll('_', ' '), show(count, 0)]),
    ['receipts, p50 / p99 ms', `${show(receipts.p50, 1)} / ${show(receipts.p99, 1)}`],
    ['**violations**', show(violations.count, 0)],
    [
      'refusals that say `retry`, pauses, refusals after a removal',
      Object.entries(trouble)
        .map(([what, count]) => `${what}: ${count}`)
        .join('; ') || 'none',
    ],
    ...memory.map(({ node, heap, pss }) => [
      `${node}: live data, PSS in MiB, from the fifth minute to the end`,
      `${mib(heap)}, ${mib(pss)}`,
    ]),
    [
      'CPU of both nodes, of everything, % of a core',
      `${cpu.nodes_percent}, ${cpu.everything_percent}`,
    ],
  ];
  return [
    '<a id="soak"></a>',
    '## Soak',
    '',
    `Two nodes under a mixed load for ${show(seconds / 60, 0)} minutes: publishes, signals, reconnects, refreshes, subscriptions that come and go, sessions ended, members removed. Every delivery,`,
    `acknowledgement and close is checked against what is promised; live data is the heap after a full collection, without compiled code, and may grow by ${limit * 100} %`,
    `from the fifth minute on. For the first ${FAST.minutes} minutes everything happens ${FAST.pace} times as often, so that V8 has compiled by then what is seldom:`,
    'much of what belongs to compiled code is not in its statistics of code, and would count as data.',
    '',
    `\`${command}\` at ${commit}, ${started.slice(0, 10)}: **${last.passed ? 'passed' : 'failed'}**.`,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
    '',
  ].join('\n');
}
