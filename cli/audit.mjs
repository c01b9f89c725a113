/** `wardroom audit`: the newest records, all of them as lines, or as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, printable } from './client.mjs';
import { runBuilt } from './local.mjs';
import { table } from './text.mjs';

const USAGE =
  'audit [--tenant T] [--user U] [--event E] [--limit N] | audit export [--after CURSOR] | audit tail [--after CURSOR] | audit verify [--service]';
const EXPORT = '/v1/admin/audit/export';
const TAIL_LINES = '10';
const TAIL_MS = 1_000;

export const AUDIT_COMMANDS = {
  audit: {
    usage: USAGE,
    summary: 'the newest records; all as OCSF lines; as they come; or whether the audit is whole',
    args: [0, 1],
    isLocal: ([what]) => what === 'verify',
    run(context) {
      const [what] = context.args;
      const run = { undefined: newest, export: exportAll, tail, verify }[String(what)];
      if (run === undefined) throw new CliError(2, `Usage: wardroom ${USAGE}`);
      return run(context);
    },
  },
};

async function newest({ client, flags: { tenant, user, event, limit }, print }) {
  const { items = [] } = await client.get('/v1/admin/audit', { tenant, user, event, limit });
  print(items, (rows) =>
    table(rows, { at: 'at', event: 'event', actor: 'actor_id', user: 'user_id', ip: 'ip' }),
  );
}

/** After a cut the last cursor goes on behind what was read. */
async function exportAll({ client, flags: { after } }) {
  let cursor = after;
  try {
    for await (const text of client.lines(EXPORT, { after })) {
      await written(`${text}\n`);
      cursor = JSON.parse(text).cursor;
    }
  } catch (error) {
    if (error instanceof CliError && cursor !== undefined)
      throw new CliError(error.exitCode, `${error.message} Go on with --after ${cursor}`);
    throw error;
  }
}

async function tail({ client, flags: { after, json } }) {
  let from = after === undefined ? { last: TAIL_LINES } : { after };
  for (;;) {
    for await (const text of client.lines(EXPORT, from)) {
      const record = JSON.parse(text);
      await written(json ? `${text}\n` : `${tailText(record)}\n`);
      from = { after: record.cursor };
    }
    if (client.curl) return;
    await sleep(TAIL_MS);
  }
}

const tailText = ({
  time_dt: at,
  class_name: name,
  metadata,
  status,
  actor,
  user,
  src_endpoint: from,
}) =>
  [
    at,
    name.padEnd(28),
    metadata.event_code.padEnd(30),
    status.padEnd(7),
    (actor?.user.uid ?? '-').padEnd(36),
    (user?.uid ?? '-').padEnd(36),
    from?.ip ?? '-',
  ]
    .map(printable)
    .join('  ')
    .trimEnd();

async function verify({ client, flags: { service }, print }) {
  if (service === true) return verifyThere(client, print);
  const code = await runBuilt('audit/audit-cli.js', ['verify']);
  if (code !== 0) throw new CliError(code === 1 ? 1 : 3, 'The audit is not known to be whole.');
}

/** By the running service, span by span: without its key, and trusting the node that answers. */
async function verifyThere(client, print) {
  if (client === null)
    throw new CliError(2, 'Which deployment? Give --url, WARDROOM_URL, or `wardroom login --url`.');
  const whole = { records: 0, chains: 0, findings: [] };
  for (let after; ;) {
    const span = await client.get('/v1/admin/audit/verify', { after });
    whole.records += span.records ?? 0;
    whole.chains = span.chains;
    whole.findings.push(...(span.findings ?? []));
    after = span.next_cursor ?? undefined;
    if (after === undefined) break;
  }
  const { records, chains, findings } = whole;
  print([whole], () => {
    const verdict = findings.length === 0 ? 'whole' : `${findings.length} findings`;
    const lines = findings.map((text) => `${printable(text)}\n`).join('');
    return `${lines}${records} records in ${chains} chains: ${verdict}.\n`;
  });
  if (findings.length > 0) throw new CliError(1, 'The audit is not whole.');
}

/** As fast as the reader takes it. */
function written(text) {
  if (process.stdout.write(text)) return;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}
