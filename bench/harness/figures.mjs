/** Every figure a table may show: its heading, its digits, and where it is in a result. */
const at = (heading, digits, read) => ({ heading, digits, read });

export const FIGURES = {
  cpu_us_per_delivery: at('CPU µs/delivery', 2, (r) => r.cpu_us_per_delivery),
  cpu_us_per_publish: at('CPU µs/publish', 1, (r) => r.cpu_us_per_publish),
  postgres_us_per_publish: at('Postgres CPU µs/publish', 1, (r) => r.postgres_us_per_publish),
  redis_us_per_publish: at('Redis CPU µs/publish', 1, (r) => r.redis_us_per_publish),
  idle_cpu_percent: at('idle CPU %', 2, (r) => r.idle_cpu_percent),
  deliveries_per_s: at('deliveries/s', 0, (r) => r.deliveries_per_s),
  acks_per_s: at('acknowledged/s', 0, (r) => r.acks_per_s),
  messages_per_read: at('messages per client read', 1, (r) => r.messages_per_read),
  bytes_per_delivery: at('bytes/delivery', 0, (r) => r.bytes_per_delivery),
  p50_ms: at('p50 ms', 2, (r) => r.latency_ms?.p50),
  p99_ms: at('p99 ms', 2, (r) => r.latency_ms?.p99),
  p999_ms: at('p99.9 ms', 2, (r) => r.latency_ms?.p999),
  max_ms: at('max ms', 1, (r) => r.latency_ms?.max),
  ack_p50_ms: at('ack p50 ms', 2, (r) => r.ack_ms?.p50),
  ack_p99_ms: at('ack p99 ms', 2, (r) => r.ack_ms?.p99),
  past_ack_p99_ms: at('p99 past ack p99 ms', 2, (r) => r.latency_ms?.p99 - r.ack_ms?.p99),
  not_once: at('lost or duplicated', 0, (r) => r.lost + r.duplicated),
  server_cpu_percent: at('server CPU %', 0, (r) => r.server_cpu_percent),
  load_cpu_percent: at('load CPU %', 0, (r) => r.load_cpu_percent),
  cpu_ms_per_connect: at('CPU ms/connect', 3, (r) => r.cpu_ms_per_connect),
  connects_per_s: at('connects/s', 0, (r) => r.connects_per_s),
  kib_per_connection: at('KiB/connection (PSS)', 2, (r) => r.kib_per_connection),
  memory_fit: at('fit of the line', 3, (r) => r.memory_fit),
  server_mib: at('server PSS MiB', 1, (r) => r.pss_kib_after / 1024),
  last_close_p50_ms: at('last socket closed p50 ms', 2, (r) => r.last_close_ms?.p50),
  last_close_p99_ms: at('last socket closed p99 ms', 2, (r) => r.last_close_ms?.p99),
  answer_p50_ms: at('receipt p50 ms', 2, (r) => r.answer_ms?.p50),
  answer_p99_ms: at('receipt p99 ms', 2, (r) => r.answer_ms?.p99),
  all_back_s: at('all back s', 2, (r) => r.all_back_s),
  recovered_s: at('all recovered s', 2, (r) => r.recovered_s),
  lost: at('events lost', 0, (r) => (r.recovered_s === undefined ? undefined : r.lost)),
};

/**
 * Counts that must be zero in a sound run; connects that were answered 503 and tried again are
 * counted too.
 */
export const faultsOf = (r) => ({
  lost: r.lost ?? 0,
  duplicated: r.duplicated ?? 0,
  unacknowledged: r.unacknowledged ?? 0,
  refused: r.refused ?? 0,
  missed: r.sockets_missed ?? 0,
  unrecovered: r.unrecovered ?? 0,
  'turned away': r.turned_away ?? 0,
});

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns {{ median: number, min: number, max: number, runs: number } | null} */
export function spreadOf(runs, figure) {
  const values = runs.map(({ result }) => FIGURES[figure].read(result)).filter(Number.isFinite);
  return values.length === 0
    ? null
    : {
        median: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
        runs: values.length,
      };
}

/** Thousands separated, enough digits to compare. */
export function show(value, digits) {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * A target is judged within the repetition, where both ran side by side: the median of their
 * ratios, or of the value itself.
 * @returns {{ value: number, met: boolean } | null} null when a run is missing
 */
export function judge(target, runs) {
  const of = (peer, step, rep) =>
    runs.find((run) => run.peer === peer && run.step === step && run.rep === rep);
  const values = [];
  for (const run of runs.filter(
    ({ peer, step }) => peer === target.peer && (target.step ?? step) === step,
  )) {
    const mine = FIGURES[target.figure].read(run.result);
    if (target.against === undefined) values.push(mine);
    else {
      const other = of(
        target.against.peer ?? target.peer,
        target.against.step ?? run.step,
        run.rep,
      );
      if (other === undefined) continue;
      const theirs = FIGURES[target.against.figure ?? target.figure].read(other.result);
      values.push(target.against.beyond === true ? mine - theirs : mine / theirs);
    }
  }
  if (values.length === 0) return null;
  const value = median(values);
  return { value, met: target.most === undefined ? value >= target.least : value <= target.most };
}

/** The target as a sentence without its verdict. */
export function wordsOf({ peer, step, figure, against, most, least }) {
  const bound = most === undefined ? `≥ ${show(least, least < 10 ? 1 : 0)}` : `≤ ${most}`;
  const where = step === undefined || step === '' ? '' : `, ${step}`;
  if (against === undefined) return `${peer}${where}: ${FIGURES[figure].heading} ${bound}`;
  const other = [against.peer, against.step, against.figure && FIGURES[against.figure].heading]
    .filter(Boolean)
    .join(', ');
  return `${peer}${where}: ${FIGURES[figure].heading} ${bound} ${against.beyond === true ? 'beyond' : '×'} ${other}`;
}

/** Only what is robust on a busy machine: every run succeeded, and no ratio is over its ceiling. */
export function passes({ targets, runs, failed }, log = console.log) {
  for (const { peer, step, error } of failed) log(`FAILED ${peer} ${step}: ${error}`);
  let good = failed.length === 0;
  for (const target of targets) {
    const verdict = target.ceiling === undefined ? null : judge(target, runs);
    if (verdict === null || verdict.value <= target.ceiling) continue;
    log(
      `REGRESSION ${wordsOf(target)}: ${show(verdict.value, 2)}, over the ceiling of ${target.ceiling}`,
    );
    good = false;
  }
  return good;
}
