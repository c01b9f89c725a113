/**
 * Every table of the docs that the code owns, from the compiled server. Each is a function that
 * answers Markdown.
 */
import { readFileSync } from 'node:fs';
import { ITEMS } from '../../dist/admin/review/measures.js';
import { percent } from '../../dist/admin/review/verdict.js';
import { CLASSES, OCSF } from '../../dist/admin/audit-export/ocsf.js';
import { AUDIT_EVENTS } from '../../dist/audit/audit-events.js';
import { BUCKETS, CALL_BUDGETS, FRAME_BUDGETS } from '../../dist/budgets/budgets.js';
import { HELD_BYTES } from '../../dist/budgets/held-bytes.js';
import { OPERATIONS } from '../../dist/api-docs/operations.js';
import { REPLIES } from '../../dist/api-docs/asyncapi.js';
import { VARIABLES } from '../../dist/platform/config/variables.js';
import { Metrics } from '../../dist/platform/metrics.js';
import {
  ACTIONS,
  CLIENT_FRAMES,
  CLOSE_CODES,
  ERROR_CODES,
  LIMITS,
  SERVER_FRAMES,
  UNSUBSCRIBE_CODES,
} from '@wardroom/protocol';
import * as field from '../../bench/field/report.mjs';
import { root } from '../lib/install.mjs';
import { fieldsOf } from './fields.mjs';
import { foldersPicture } from './folders.mjs';
import { repository } from './repository.mjs';
import { sdkTables } from './sdk-reference.mjs';

export const tables = {
  ...Object.fromEntries(
    Object.entries(sdkTables).map(([name, rows]) => [name, () => table(['', ''], rows())]),
  ),

  'field-run': () => field.runLine(field.readResults()),
  'field-verdicts': () => field.verdictTable(field.readResults()),
  'field-figures': () => field.figureTable(field.readResults()),
  'field-set-up': () => field.setUpTable(field.readResults()),
  'field-means': () => field.meansTable(field.readResults()),

  folders: () => foldersPicture(root),

  decisions: () =>
    table(
      ['number', 'decision'],
      repository(root)
        .pages.map(({ file, text }) => /^docs\/adr\/((\d{4})-.*)/.exec(file)?.concat(text))
        .filter((found) => found !== undefined)
        .map(([, name, number, text]) => [
          `[${number}](${name})`,
          /^# \d{4} (.*)/.exec(text)?.[1] ?? `${name} has no title`,
        ]),
    ),

  actions: () =>
    table(
      ['action', 'what a client does'],
      Object.entries(ACTIONS).map(([action, meaning]) => [code(action), meaning]),
    ),

  'error-codes': () =>
    table(
      ['code', 'status', 'action', 'meaning'],
      Object.entries(ERROR_CODES)
        .map(([name, { status, action, message }]) => [code(name), status, code(action), message])
        .sort((a, b) => Number(a[1]) - Number(b[1])),
    ),

  'close-codes': () =>
    table(
      ['close', 'code', 'action', 'meaning'],
      Object.entries(CLOSE_CODES)
        .map(([name, { status, action, message }]) => [status, code(name), code(action), message])
        .sort((a, b) => Number(a[0]) - Number(b[0])),
    ),

  'unsubscribe-codes': () =>
    table(
      ['code', 'action', 'meaning'],
      Object.entries(UNSUBSCRIBE_CODES).map(([name, { action, message }]) => [
        code(name),
        code(action),
        message,
      ]),
    ),

  'client-frames': () =>
    table(
      ['frame', 'fields', 'answer'],
      Object.entries(CLIENT_FRAMES).map(([type, schema]) => [
        code(type),
        fieldsOf(schema, 'input', ['type', 'id']),
        REPLIES[type].map(code).join(' or ') || '-',
      ]),
    ),

  'server-frames': () =>
    table(
      ['frame', 'fields'],
      Object.entries(SERVER_FRAMES).map(([type, schema]) => [
        code(type),
        fieldsOf(schema, 'output', ['type', 'id']),
      ]),
    ),

  limits: () =>
    table(
      ['limit', 'value', 'of what'],
      Object.entries(LIMITS).map(([name, value]) => [code(name), value, commentOf(name)]),
    ),

  variables: () =>
    table(
      ['variable', 'default', 'meaning'],
      Object.entries(VARIABLES).map(([name, [, fallback, meaning]]) => [
        code(name),
        fallback,
        meaning,
      ]),
    ),

  metrics: () =>
    table(
      ['metric', 'kind', 'labels', 'meaning'],
      new Metrics().registry
        .getMetricsAsArray()
        .filter(({ name }) => !/^wardroom_(process|nodejs)_/.test(name))
        /* Its type tells neither its class nor its labels. */
        .map((/** @type {any} */ metric) => [
          code(metric.name),
          metric.constructor.name.toLowerCase(),
          metric.labelNames.map(code).join(', ') || '-',
          metric.help,
        ]),
    ),

  review: () =>
    table(
      ['item', 'counted', 'of', 'at least', '`watch` from', '`act` from'],
      ITEMS.flatMap(({ item, measures }) =>
        measures.map(({ what, ofWhat, floor, watch, act }) => [
          code(item),
          what,
          ofWhat,
          floor,
          percent(watch),
          act === 'tripled' ? `${percent(watch)} and three times the month before` : percent(act),
        ]),
      ),
    ),

  'audit-events': () =>
    table(
      ['event', 'OCSF class', 'meaning'],
      Object.entries(AUDIT_EVENTS).map(([event, meaning]) => [
        code(event),
        `${CLASSES[OCSF[event].of]} ${OCSF[event].of}`,
        meaning,
      ]),
    ),

  budgets: () =>
    table(
      ['action', 'who', 'bucket', 'tokens', 'bound', 'CPU, ms', 'writes'],
      [
        ...Object.keys(CLIENT_FRAMES).map((type) =>
          budgetRow(`frame ${code(type)}`, FRAME_BUDGETS[type]),
        ),
        ...OPERATIONS.map(({ method, path }) =>
          budgetRow(code(`${method.toUpperCase()} ${path}`), CALL_BUDGETS[`${method} ${path}`]),
        ),
      ],
    ),

  'held-bytes': () =>
    table(
      ['what waits', 'for each', 'bytes at most', 'beyond it'],
      Object.entries(HELD_BYTES).map(([name, { of, bytes, beyond }]) => [name, of, bytes, beyond]),
    ),

  rest: () =>
    table(
      ['call', 'what it does', 'answers', 'refused with'],
      OPERATIONS.map((operation) => [
        `${code(`${operation.method.toUpperCase()} ${operation.path}`)}${operation.auth === 'public' ? ' (public)' : ''}`,
        operation.summary,
        Object.keys(operation.answers).join(', '),
        [...operation.errors, ...(operation.stepUp === undefined ? [] : ['step_up_required'])]
          .map(code)
          .join(', ') || '-',
      ]),
    ),

  'step-up': () =>
    table(
      ['call', 'needs a password that was given lately'],
      OPERATIONS.flatMap(({ method, path, stepUp }) =>
        stepUp === undefined ? [] : [[code(`${method.toUpperCase()} ${path}`), stepUp.when]],
      ),
    ),
};

function budgetRow(action, budget) {
  if (budget === undefined)
    throw new Error(`${action} has no budget: give it a row in src/budgets/budgets.ts.`);
  const { who, bound } = BUCKETS[budget.bucket];
  return [action, who, budget.bucket, budget.cost, bound, budget.cpuMs, budget.rows];
}

const code = (text) => `\`${text}\``;

/** Cells may not break the table: a pipe in them is escaped, a line break is a space. */
function table(head, rows) {
  const line = (cells) =>
    `| ${cells
      .map((cell) =>
        String(cell)
          .replaceAll('|', '\\|')
          .replace(/\s*\n\s*/g, ' '),
      )
      .join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The doc comment that stands before a limit; those without one are said by their name. */
function commentOf(name) {
  const source = readFileSync(new URL('../../protocol/src/limits.ts', import.meta.url), 'utf8');
  const comment = source.match(new RegExp(`/\\*\\*((?:(?!\\*/)[^])+?)\\*/\\s*${name}:`))?.[1];
  return (
    comment?.replaceAll(/\s+(?:\* )?/g, ' ').trim() ??
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  );
}
