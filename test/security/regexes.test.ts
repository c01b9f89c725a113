/**
 * P8: every regular expression of the service and of the SDK is known, with the largest text that
 * reaches it, and takes a time that is linear in it. A new one fails here until it has its line.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import * as z from 'zod';
import { redactText } from '../../src/platform/log/redact-text.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Bytes of the largest text that somebody from outside can bring to it. */
const REACH = {
  /** Given by the operator, or made here: short. */
  ours: 1_024,
  /** The name of a person: longer ones are refused before. */
  name: 100,
  /** An e-mail address: longer ones are refused before. */
  email: 254,
  /** A token or ticket: longer ones are refused before. */
  token: 8_192,
  /** All headers of a request together. */
  head: 16_384,
  /** The rest of a text, as the log has it. */
  line: 16_384,
  /** An inbound frame, or a JSON body with every character escaped. */
  body: 200_704,
} as const;

const EXPRESSIONS: Record<string, keyof typeof REACH> = {
  // issuers-file.ts
  '/^[ -~]{1,512}$/': 'ours',
  // redact-text.ts
  '/[A-Za-z0-9_.-]+/g': 'line',
  '/\\b[a-z]+:\\/\\/\\S+/gi': 'line',
  '/\\bwr_(?:rt|tk|csrf|sk|inv|reg|pwr)_[A-Za-z0-9_.-]+/g': 'line',
  '/(\\bbearer[ .])[A-Za-z0-9._~+/=-]{8,}/gi': 'line',
  '/([?&](?:token|ticket|access_token)=)[^&\\s"\']+/gi': 'line',
  '/\\s\\S*$/': 'line',
  // credentials
  '/^Bearer +(\\S+) *$/i': 'head',
  '/^wr_rt_[A-Za-z0-9_-]{92}$/': 'body',
  '/^(.{8})(.{4})(.{4})(.{4})(.{12})$/': 'ours',
  '/^wr_tk_[A-Za-z0-9_-]{43}$/': 'body',
  '/^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$/': 'token',
  '/^[A-Za-z0-9_-]{43}$/': 'token',
  '/^application\\//': 'token',
  '/^([^<>\\p{Cc}]{0,100})<([^<>\\s]{1,254})>$/u': 'ours',
  '/^smtps?$/': 'ours',
  '/^wr_sk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/': 'head',
  '/^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*$/': 'body',
  '/(?:^|;\\s*)wr_csrf=([^;]*)/': 'head',
  // paths of the pages
  '/^\\/(?:console(?:\\/|$)|assets\\/|v1\\/)/': 'head',
  '/^\\/(chat|console|docs)(\\/[\\w.~/-]*)?$/': 'head',
  // names of fields in the API documents, which are made once
  '/^(?:archived|banned|duplicate|guest|truncated)$/': 'ours',
  '/^(?:deleted_at|edited_at|retry_after_ms|muted_until|next_cursor|reply_to|mentions|retired_at|withdrawn_at)$/':
    'ours',
  '/s$/': 'ours',
  'new RegExp(`([a-z-]+)/\\\\{${name}\\\\}`)': 'ours',
  'new RegExp(pattern)': 'ours',
  // calls, cursors and months
  '/^(?:POST|PUT|PATCH|DELETE)$/': 'ours',
  '/^\\d{1,15}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/': 'head',
  '/^[1-9][0-9]{0,17}-[0-9a-f]{12}$/': 'head',
  '/^20\\d\\d-(0[1-9]|1[0-2])$/': 'head',
  '/[\\\\%_]/g': 'head',
  '/^https$/': 'ours',
  '/^wardroom_(?:process|nodejs)_/': 'ours',
  // heads and addresses
  '/^(?:https?:\\/\\/[^/?#]*)?(\\/[\\w.~/-]*)(?:\\?[^#]*)?$/': 'head',
  '/(?<=[^:\\]]|\\])(:\\d+)?$/': 'head',
  '/^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)?([0-9a-f]{12})$/': 'head',
  '/^(?:([\\d.]+)(?::\\d{1,5})?|\\[([\\da-fA-F:.]+)\\](?::\\d{1,5})?|([\\da-fA-F:.]+))$/': 'head',
  '/^(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])$/': 'head',
  '/^[\\w.-]+(:\\d{1,5})?$|^\\[[0-9a-f:]+\\](:\\d{1,5})?$/i': 'head',
  '/^\\[|\\]$/g': 'head',
  '/^http$/': 'ours',
  '/^http/': 'ours',
  // names, ids and bodies
  '/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/': 'body',
  '/^[a-z0-9][a-z0-9-]{0,62}$/': 'body',
  '/[\\0\\p{Cs}]/u': 'body',
  '/\\p{Surrogate}/u': 'body',
  '/^\\w{1,64}$/': 'body',
  '/[^\\p{Z}\\p{C}\\p{Default_Ignorable_Code_Point}]/u': 'name',
  '/^(name|email)_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/': 'head',
  "/^[\\p{L}\\p{M}\\p{N}_'+-]+(?:\\.[\\p{L}\\p{M}\\p{N}_'+-]+)*$/u": 'email',
  '/^[\\p{L}\\p{M}\\p{N}.\\u3002-]+$/u': 'email',
  '/^(?:[a-z0-9][a-z0-9-]{0,62}\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/': 'email',
  '/\\p{Default_Ignorable_Code_Point}/u': 'email',
  // errors of stores and lines of stacks
  '/^2[23]/': 'ours',
  '/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|P1001|P1002|P1008|P1017|P2024|P2028)/': 'ours',
  "/(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Can't reach database)/i":
    'body',
  '/maxmemory_policy:(\\S+)/': 'ours',
  "new RegExp(`${BUNDLE.href.replaceAll(/[.*+?^${}()|[\\]\\\\]/g, '\\\\$&')}:(\\\\d+):(\\\\d+)`, 'g')":
    'line',
  '/[.*+?^${}()|[\\]\\\\]/g': 'ours',
  // names of the network, proxies, messages of Redis
  '/[?#]/': 'ours',
  '/^([^/%]+)(?:\\/(\\d{1,3}))?$/': 'ours',
  '/^[0-9a-f]{64}$/': 'body',
  '/^[A-Z]+/': 'ours',
  '/^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$/': 'ours',
  '/^[\\d.]+$/': 'ours',
  "/^[\\w.~!$&'()*+=:@%/-]*$/": 'ours',
  '/^[a-z][a-z0-9+.-]*:\\/\\/[^\\s/\\\\?#@*]+$/': 'ours',
  '/^\\d{1,16}$/': 'body',
  '/^\\s*(http|ws)\\s*$/i': 'head',
  '/^https?:$/': 'ours',
  '/^https?:/': 'ours',
  '/run_id:(\\S+)/': 'ours',
  // configuration, command lines and documents
  '/^([0-9a-f-]{36}):(\\d+):([0-9a-f]{64})$/': 'ours',
  '/^https?$/': 'ours',
  '/(?:^|\\s)(?:-c\\s*|--)search_path=((?:\\\\.|\\S)+)/': 'ours',
  '/\\\\(.)/g': 'ours',
  '/\\bISOLATION\\s+LEVEL\\b/i': 'ours',
  '/^\\s*BEGIN\\b/i': 'ours',
  '/^\\[(.+)\\]$/': 'ours',
  '/^\\w{1,40}$/': 'ours',
  '/\\/$/': 'ours',
  '/\\/+$/': 'ours',
  '/^postgres(ql)?$/': 'ours',
  '/^rediss?$/': 'ours',
  '/^\\/v1\\//': 'ours',
  '/\\{?[a-z0-9]+/gi': 'ours',
  '/\\{(\\w+)\\}/g': 'ours',
};

/** Repeated as often as fits; `\u0001` at the end is what nothing expects. */
const PUMPS = [
  ...[
    'a',
    'A',
    '0',
    ' ',
    '\t',
    '.',
    '-',
    '_',
    ':',
    '/',
    '@',
    '=',
    '&',
    '\\',
    '"',
    '{',
    '?',
    '\r\n',
    '\u{1F600}',
    '\uD800',
  ],
  ...[
    'eyJ',
    'eyJa',
    'eyJabcdefgh.',
    'a://b:',
    'a://b:c@',
    'a://',
    'wr_rt_',
    'bearer ',
    'bearer.',
    'Bearer ',
    '?token=',
    '&ticket=a',
    '::ffff:',
    '0:',
  ],
  ...[
    'keep-alive, ',
    'upgrade',
    'GET /v1/ws?a=b',
    'x: y',
    'a: ',
    'abcdefgh-',
    '0190a0a0-0000-7000-8000-000000000000',
    'a-',
    'a.',
    'a@',
    'file:///',
  ],
];
const BOUND_MS = 10;

/**
 * At the largest text, the slowest of all; one over the bound has two more tries, for what else the
 * machine does.
 */
function slowest(bytes: number, run: (text: string) => void): { ms: number; pump: string } {
  const times = PUMPS.flatMap((pump) =>
    ['', '\u0001', '@'].map((end) => {
      const text = pump.repeat(Math.floor(bytes / pump.length)) + end;
      return { pump: pump + end, ms: best(() => run(text)) };
    }),
  );
  return times.reduce((worst, one) => (one.ms > worst.ms ? one : worst));
}

function best(act: () => void): number {
  const ms = timed(act);
  return ms < BOUND_MS ? ms : Math.min(timed(act), timed(act));
}

function timed(act: () => void): number {
  const beganMs = performance.now();
  act();
  return performance.now() - beganMs;
}

/** As written before a formatter broke it into lines. */
const onOneLine = (text: string): string =>
  text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace('( ', '(')
    .replace(', )', ')');

function expressionsOf(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(root + file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) found.push(node.text);
    if (
      (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
      node.expression.getText(source) === 'RegExp'
    )
      found.push(onOneLine(node.getText(source)));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Those that are built have parts that are fixed once the process runs. */
function compiled(text: string): RegExp {
  if (text.startsWith('new RegExp(`([a-z-]+)')) return /([a-z-]+)\/\{room\}/;
  // A pattern of a schema, which stands here by itself.
  if (text === 'new RegExp(pattern)') return /^[a-z0-9][a-z0-9-]{0,62}$/;
  if (text.startsWith('new RegExp(`${BUNDLE')) return /file:\/\/\/app\/dist\/main\.js:(\d+):(\d+)/g;
  const end = text.lastIndexOf('/');
  return new RegExp(text.slice(1, end), text.slice(end + 1));
}

test('every regular expression of the product has its line here, and no line is left over', () => {
  const files = execFileSync(
    'git',
    ['ls-files', '-co', '--exclude-standard', 'src', 'protocol/src', 'sdk/src'],
    { cwd: root, encoding: 'utf8' },
  )
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !file.includes('/generated/'));
  expect(files.length).toBeGreaterThan(100);
  expect([...new Set(files.flatMap(expressionsOf))].sort()).toEqual(
    Object.keys(EXPRESSIONS).sort(),
  );
});

describe('at the largest text that reaches it, whatever that repeats, no expression takes 10 ms:', () => {
  test.each(Object.entries(EXPRESSIONS))('%s', (text, reach) => {
    const expression = compiled(text);
    const worst = slowest(REACH[reach], (input) =>
      expression.global ? input.replace(expression, '') : expression.exec(input),
    );
    expect([worst.pump, worst.ms < BOUND_MS]).toEqual([worst.pump, true]);
  });

  test.each([
    ['z.uuid()', z.uuid()],
    ['z.iso.datetime()', z.iso.datetime()],
  ] as const)('%s of the library', (_name, schema) => {
    const worst = slowest(REACH.body, (input) => schema.safeParse(input));
    expect([worst.pump, worst.ms < BOUND_MS]).toEqual([worst.pump, true]);
  });
});

test('redaction takes under 10 ms, whatever the text and however long it is', () => {
  const worst = slowest(2_000_000, redactText);
  expect([worst.pump, worst.ms < BOUND_MS]).toEqual([worst.pump, true]);
});
