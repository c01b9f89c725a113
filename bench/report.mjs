/**
 * Writes docs/benchmarks.md and its plots from results/*.json: what was measured, on what, how to
 * repeat it. `node bench/report.mjs [results folder] [docs folder]`.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIGURES, faultsOf, judge, show, spreadOf, wordsOf } from './harness/figures.mjs';
import { ORDER } from './harness/order.mjs';
import { barPlot, linePlot } from './harness/plot.mjs';
import { soakSection } from './harness/soak-section.mjs';

const RESULTS = process.argv[2] ?? fileURLToPath(new URL('./results/', import.meta.url));
const DOCS = process.argv[3] ?? fileURLToPath(new URL('../docs/', import.meta.url));
const PLOTS = 'benchmarks';

const reports = readdirSync(RESULTS)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(RESULTS, file), 'utf8')))
  .filter((report) => Array.isArray(report.runs) && report.figures !== undefined)
  .sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
if (reports.length === 0) {
  console.error('There are no results: npm run bench');
  process.exit(1);
}

mkdirSync(join(DOCS, PLOTS), { recursive: true });
const sections = reports.map(section);
writeFileSync(join(DOCS, 'benchmarks.md'), [head(), ...sections, soakSection(RESULTS)].join('\n'));
console.log(`Wrote docs/benchmarks.md from ${reports.length} results.`);

function head() {
  const { machine } = reports[0];
  const cores = machine.cores_used;
  const pinning =
    cores === null
      ? 'Nothing was pinned: server, load and stores shared the cores.'
      : `The server under measurement is pinned to core ${cores.server}; the load generator, Postgres and Redis share core ${cores.load_and_stores}.`;
  const commits = [...new Set(reports.map(({ commit }) => commit))];
  const times = reports.flatMap(({ runs }) => runs.map(({ at }) => at)).sort();
  const loads = reports
    .flatMap(({ runs }) => runs.map((run) => run.load_average))
    .sort((a, b) => a - b);
  const everyone = Object.assign({}, ...reports.map(({ peers }) => peers));
  return `# Benchmarks

This page is generated from [bench/results](../bench/results) by \`node bench/report.mjs\`; do not edit it.

Repeat it with \`npm run bench\` (all questions, about three quarters of an hour) or \`npm run bench -- fan-out --quick\` (one, quickly). Questions are scripts of their own in
[bench](../bench); [bench/shared-driver.mjs](../bench/shared-driver.mjs) lets an independent harness measure the same server beside its own peers.

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.system}, kernel ${machine.kernel}, Node ${machine.node}. Load average during the runs: ${show(loads[loads.length >> 1], 1)} (median), ${show(loads.at(-1), 1)} at most.
- Commit: ${commits.join(', ')}${commits.some((commit) => commit.endsWith('+')) ? ' (`+`: with changes that were not committed)' : ''}. Measured ${times[0].slice(0, 10)}${times[0].slice(0, 10) === times.at(-1).slice(0, 10) ? '' : ` to ${times.at(-1).slice(0, 10)}`}.
- ${pinning} The generator is a single Node process with raw sockets, which spins at a fixed rate and then runs at nice 10; where its own CPU is near 100 %, deliveries/s is a lower bound.
- Every run starts a fresh server. Peers run one after the other within each repetition (A B C, A B C, ...), so that drift of the machine hits all alike. It is under its load for 2 s or more (6 s where the load is small) before anything is counted: code that has run only a few thousand times is not compiled yet.
- The main figure is CPU per operation: user and kernel time of all threads of the server, from \`/proc\`. On loopback the receiver's half of TCP runs inside the sender's system call and is part of it, for every peer.
- Tables show the median (min..max) of the runs. Peers that no target names run in the first one or two repetitions only. Ratios compare runs of the same repetition; the median of these ratios is judged.
- Loopback, no TLS, no slow clients, no packet loss. Messages carry 128 bytes; the frame around them differs (see bytes/delivery).
- **Limits of these figures.** A virtual machine of two cores that also runs the load: compare peers within a table, not tables with other machines. Its host is shared and drifts within minutes, which the spreads show: a small difference of two medians is none. What coalesces (\`ws-batched\`, Wardroom, NATS) gets cheaper per delivery the more is waiting, so on a machine that is busy, or behind a generator that is full, all of them look better: the ratio is what is judged, and only between runs of one repetition. Latency at saturation is queueing; latencies are compared at a fixed rate ([steady-rate](#steady-rate)). Percentiles come from logarithmic bins of 2 %. Peers are measured as their documentation says to run them, without tuning of ours beyond what is named in the table; NATS and Socket.IO do less per message (no membership, no lease, no expiry per connection).
- Wardroom runs as its image starts it (\`NODE_ENV=production\`, log level info), with the limits per client and address lifted. Every user, session and membership is a row in Postgres, every token an ES256 token of the node's own key. Peers verify the same tokens and check nothing else. Postgres runs with \`fsync\` on and its own defaults but 64 MB of \`shared_buffers\`; its log has been written full once, so that segments are written over instead of created ([operations](operations.md#a-new-postgres)).

| peer | version | what it does |
|---|---|---|
${Object.entries(everyone)
  .map(([name, { version, what }]) => `| ${name} | ${version} | ${what} |`)
  .join('\n')}

## Targets

| question | target | measured | |
|---|---|---|---|
${reports.flatMap(verdicts).join('\n')}
`;
}

function verdicts({ name, title, targets, runs }) {
  return targets.map((target) => {
    const verdict = judge(target, runs);
    const measured =
      verdict === null ? 'not measured' : show(verdict.value, verdict.value < 100 ? 2 : 0);
    return `| [${title}](#${name}) | ${wordsOf(target)} | ${measured} | ${verdict === null ? '' : verdict.met ? 'met' : `**missed** ${byHowMuch(target, verdict.value)}`} |`;
  });
}

function byHowMuch({ most, least }, value) {
  const bound = most ?? least;
  const percent = Math.abs(value / bound - 1) * 100;
  return bound === 0 ? `by ${show(value, 0)}` : `by ${show(percent, percent < 1 ? 1 : 0)} %`;
}

function section(report) {
  const { name, title, text, command, figures, steps, failed } = report;
  const parts = [
    `<a id="${name}"></a>`,
    `## ${title}`,
    '',
    text,
    '',
    `\`${command}\`${report.quick ? ' (a quick cut: smaller, shorter, not for comparison)' : ''}`,
    '',
    ...plots(report),
  ];
  for (const step of steps) {
    if (step !== '')
      parts.push(
        `${report.series === undefined ? 'With' : report.series.heading} ${step}:`.replace(
          /^With /,
          '',
        ),
        '',
      );
    parts.push(...table(report, step, figures), '');
  }
  if (failed.length > 0)
    parts.push(
      `${failed.length} runs failed and are not counted: ${[...new Set(failed.map((run) => run.peer))].join(', ')}.`,
      '',
    );
  return parts.join('\n');
}

function table({ peers, runs }, step, figures) {
  const mine = (peer) => runs.filter((run) => run.peer === peer && run.step === step);
  const measured = Object.keys(peers).filter((peer) => mine(peer).length > 0);
  const shown = figures.filter((figure) =>
    measured.some((peer) => spreadOf(mine(peer), figure) !== null),
  );
  return [
    `| peer | runs | ${shown.map((figure) => FIGURES[figure].heading).join(' | ')} | faults |`,
    `|---|---|${shown.map(() => '---|').join('')}---|`,
    ...measured.map((peer) => {
      const cells = shown.map((figure) => {
        const spread = spreadOf(mine(peer), figure);
        return spread === null ? '' : ranged(spread, FIGURES[figure].digits);
      });
      return `| ${peer} | ${mine(peer).length} | ${cells.join(' | ')} | ${faults(mine(peer))} |`;
    }),
  ];
}

function ranged({ median, min, max }, digits) {
  return `${show(median, digits)} (${show(min, digits)}..${show(max, digits)})`;
}

function faults(runs) {
  const sum = {};
  for (const { result } of runs)
    for (const [fault, count] of Object.entries(faultsOf(result)))
      sum[fault] = (sum[fault] ?? 0) + count;
  const some = Object.entries(sum).filter(([, count]) => count > 0);
  return some.length === 0
    ? 'none'
    : some.map(([fault, count]) => `${show(count, 0)} ${fault}`).join(', ');
}

function plots(report) {
  const { name, title, figures, peers, runs, steps, series } = report;
  const [main] = figures;
  const ours = (peer) => peer.startsWith('wardroom');
  const names = Object.keys(peers);
  if (series !== undefined) {
    const lines = names.map((peer) => ({
      label: peer,
      ours: ours(peer),
      points: series.values.flatMap((x, i) => {
        const spread = spreadOf(
          runs.filter((run) => run.peer === peer && run.step === steps[i]),
          main,
        );
        return spread === null ? [] : [{ x, y: spread.median }];
      }),
    }));
    const drawn = lines.filter(({ points }) => points.length > 1);
    return drawn.length === 0
      ? []
      : plot(name, title, linePlot(FIGURES[main].heading, series.heading, drawn));
  }
  const bars = steps.flatMap((step) =>
    names.flatMap((peer) => {
      const spread = spreadOf(
        runs.filter((run) => run.peer === peer && run.step === step),
        main,
      );
      const label = steps.length === 1 ? peer : names.length === 1 ? step : `${peer}, ${step}`;
      return spread === null ? [] : [{ label, ours: ours(peer), ...spread }];
    }),
  );
  return bars.length < 2
    ? []
    : plot(name, title, barPlot(FIGURES[main].heading, bars, FIGURES[main].digits));
}

function plot(name, title, image) {
  const file = `${PLOTS}/${name}.svg`;
  writeFileSync(join(DOCS, file), image);
  return [`![${title}](${file})`, ''];
}
