/** The monthly review and the stats: what the installation counted, as people read it. */
import { CliError, printable } from './client.mjs';
import { table } from './text.mjs';

const REVIEW = 'review [MONTH] | review sign MONTH --note TEXT';
const RANGES = ['1h', '24h', '30d'];

export const REVIEW_COMMANDS = {
  review: {
    usage: REVIEW,
    summary: 'the monthly review, or its signature; without MONTH the last whole one',
    args: [0, 1, 2],
    async run({ client, args, flags: { note }, print }) {
      if (args[0] === 'sign') return sign({ client, month: args[1], note, print });
      if (args.length === 2 || note !== undefined)
        throw new CliError(2, `Usage: wardroom ${REVIEW}`);
      const review = await client.get('/v1/admin/review', { month: args[0] });
      const { month, verdict, items = [] } = review;
      print(
        items.map((item) => ({ month, ...item })),
        () => reviewText(review),
      );
      if (verdict === 'act') throw new CliError(1, `${month}: something is to be done.`);
    },
  },
  stats: {
    usage: 'stats [--range 1h|24h|30d] [--name METRIC]',
    summary: 'what the nodes counted',
    args: 0,
    async run({ client, flags: { range = '24h', name }, print }) {
      if (!RANGES.includes(range)) throw new CliError(2, `--range is one of ${RANGES.join(', ')}.`);
      const {
        series = [],
        from,
        bucket_seconds,
        truncated,
      } = await client.get('/v1/admin/stats', {
        range,
        name,
      });
      print(
        series.map((row) => ({ from, bucket_seconds, ...row })),
        () => statsText(series),
      );
      if (truncated) process.stderr.write('There are more series: ask for one with --name.\n');
    },
  },
};

async function sign({ client, month, note, print }) {
  if (month === undefined || note === undefined)
    throw new CliError(2, 'Usage: wardroom review sign MONTH --note TEXT');
  const signed = await client.post('/v1/admin/reviews', { month, note });
  print(
    [signed],
    ([row]) => `Signed ${printable(row.month)} off; its verdict is ${printable(row.verdict)}.\n`,
  );
}

function reviewText({ month, whole, data_since: since, verdict, items, signed }) {
  const rows = items.flatMap(({ item, measures }) =>
    measures.map((measure) => ({
      ...measure,
      item,
      now: figures(measure.this_month),
      before: figures(measure.last_month),
    })),
  );
  const columns = {
    verdict: 'verdict',
    item: 'item',
    month: 'now',
    'month before': 'before',
    because: 'threshold',
    counted: 'what',
  };
  const found = items.filter((item) => item.verdict !== 'ok').map(findingText);
  const signatures = signed.map(({ at, by, note }) => printable(`Signed ${at} by ${by}: ${note}`));
  return [
    printable(`${month}${whole ? '' : ', so far'}: ${verdict}. Counted since ${since ?? 'never'}.`),
    '',
    table(rows, columns),
    ...found,
    ...(signatures.length === 0 ? ['Not signed off.'] : signatures),
    '',
  ].join('\n');
}

const findingText = ({ title, verdict, advice, worst }) =>
  [
    printable(`${title}: ${verdict}`),
    printable(`  ${advice}`),
    ...worst.map(({ client, count }) => printable(`  ${client}  ${count}`)),
    '',
  ].join('\n');

const figures = ({ count, of, share }) =>
  `${count} of ${of} (${Number((share * 100).toPrecision(2))} %)`;

function statsText(series) {
  const rows = series.map(({ name, labels, values }) => {
    const known = values.filter((value) => value !== null);
    return {
      name,
      labels: Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(' '),
      sum: rounded(known.reduce((sum, value) => sum + value, 0)),
      peak: rounded(Math.max(0, ...known)),
      last: rounded(known.at(-1) ?? 0),
    };
  });
  return table(rows, { metric: 'name', labels: 'labels', sum: 'sum', peak: 'peak', last: 'last' });
}

const rounded = (value) => Number(value.toPrecision(6));
