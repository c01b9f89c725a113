/** The tables of docs/field.md, from the results of one run. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const RESULTS = fileURLToPath(new URL('../results/field.json', import.meta.url));

const COLUMNS = ['D1', 'D2', 'D3', 'D4', 'D8', 'D9', 'silence'];
const WORDS = { passed: 'passes', untold: 'stops, does not tell', failed: '**fails**' };

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

export const readResults = () => JSON.parse(readFileSync(RESULTS, 'utf8'));

const verdict = (outcome) => {
  if (outcome === undefined) return '-';
  return outcome.error === undefined ? WORDS[outcome.verdict] : 'could not be run';
};

export function verdictTable({ servers }) {
  return table(
    ['', ...COLUMNS],
    servers.map(({ title, missing, trials }) => [
      title,
      ...COLUMNS.map((name) => (missing === undefined ? verdict(trials[name]) : '-')),
    ]),
  );
}

const ms = (value) => (value === null ? 'never' : `${value} ms`);
const seconds = (value) => (value === null ? 'never' : `${(value / 1000).toFixed(1)} s`);
const last = (value) => (value === null ? '' : `, last after ${seconds(value)}`);

/** The figures: name, trial and text of each. */
const FIGURES = [
  ['delivered after expiry', 'D1', ({ deliveries, last_ms }) => `${deliveries}${last(last_ms)}`],
  ['told after', 'D1', ({ told_ms }) => seconds(told_ms)],
  ['accepted after expiry', 'D2', ({ publishes, last_ms }) => `${publishes}${last(last_ms)}`],
  ['delivered after logout', 'D3', ({ deliveries }) => deliveries],
  ['accepted after logout', 'D3', ({ publishes }) => publishes],
  ['told after', 'D3', ({ told_ms }) => ms(told_ms)],
  ['delivered after removal', 'D4', ({ deliveries }) => deliveries],
  ['accepted after removal', 'D4', ({ publishes }) => publishes],
  ['told after', 'D4', ({ told_ms }) => ms(told_ms)],
  ['still hear', 'D8', ({ still_hear, raced }) => `${still_hear} of ${raced}`],
  ['old tokens that open', 'D8', ({ opened_again, raced }) => `${opened_again} of ${raced}`],
  ['delivered', 'D9', ({ deliveries }) => deliveries],
  ['let go after', 'silence', ({ ended_ms }) => seconds(ended_ms)],
];

export function figureTable({ servers }) {
  const present = servers.filter(({ missing }) => missing === undefined);
  return table(
    ['', '', ...present.map(({ title }) => title)],
    FIGURES.map(([what, trial, show]) => [
      trial,
      what,
      ...present.map(({ trials }) => {
        const figures = trials[/** @type {string} */ (trial)]?.figures;
        return figures === undefined ? '-' : String(/** @type {Function} */ (show)(figures));
      }),
    ]),
  );
}

export function setUpTable({ servers }) {
  const link = (address, i) => `[${i + 1}](${address.replace(/^docs\//, '')})`;
  return table(
    ['server', 'version', 'set up', 'by'],
    servers.map(({ title, version, missing, setUp, docs }) => [
      title,
      version ?? `left out: ${missing}`,
      setUp,
      docs.map(link).join(' '),
    ]),
  );
}

export function meansTable({ servers }) {
  const none = 'none documented';
  return table(
    ['server', 'logout', 'removal', 'a repeated message'],
    servers.map(({ title, means }) => [
      title,
      means.logout ?? none,
      means.remove ?? none,
      means.repeat ?? none,
    ]),
  );
}

export function runLine({ at, seconds: took, commit, machine, servers }) {
  const { cpu, cores, system, node } = machine;
  return `One run of \`npm run field\` on ${at.slice(0, 10)}, ${took} s, ${servers.length} set-ups, commit ${commit}; ${cores} cores of ${cpu}, ${system}, Node ${node}.`;
}
