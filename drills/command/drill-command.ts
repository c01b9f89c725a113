/**
 * `wardroom drill --url URL`: the drills against a deployment. Exit codes: 0 clean, 1 a check
 * failed, 2 usage, 3 could not run.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import type { SocketConstructor } from '@wardroom/client';
import {
  compareRuns,
  DRILLS,
  drillText,
  headText,
  junit,
  markdown,
  ndjson,
  network,
  Refused,
  runDrills,
  tailText,
  Unreachable,
} from '../src/index.js';
import type { Drill, OperatorCredential, Run } from '../src/index.js';

export const USAGE = `wardroom drill --url URL [--url URL] [--only D1,D3] [--seed N]
               [--format text|ndjson|junit|markdown] [--evidence FILE] [--token T]
               [--lease-ms N] [--allowance-ms N]

Makes a synthetic tenant, runs the drills, prints what it measured against the bounds, and removes
what it made. A second --url names another node of the same deployment.

Needs an operator: --token or WARDROOM_TOKEN (a token that lives for two minutes), or
WARDROOM_OPERATOR_EMAIL and WARDROOM_OPERATOR_PASSWORD.

Exit codes: 0 clean, 1 a check failed, 2 usage, 3 could not run.`;

const FORMATS = ['text', 'ndjson', 'junit', 'markdown'] as const;
type Format = (typeof FORMATS)[number];
const OPERATORS = 'system';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
}

interface Wanted {
  readonly urls: readonly string[];
  readonly drills: readonly Drill[];
  readonly seed: number;
  readonly format: Format;
  readonly evidence: string | undefined;
  readonly leaseMs: number | undefined;
  readonly allowanceMs: number | undefined;
  readonly credential: OperatorCredential;
}

class Usage extends Error {}

export async function drillCommand(args: readonly string[], io: Io): Promise<number> {
  if (args.includes('--help')) {
    io.out(USAGE);
    return 0;
  }
  try {
    const wanted = read(args, io.env);
    const run = await drillAndPrint(wanted, io);
    if (wanted.evidence !== undefined) keepEvidence(wanted.evidence, run, io);
    return run.verdict === 'passed' ? 0 : 1;
  } catch (error) {
    if (error instanceof Usage) {
      io.err(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof Unreachable) && !(error instanceof Refused)) throw error;
    io.err(error.message);
    return 3;
  }
}

async function drillAndPrint(wanted: Wanted, io: Io): Promise<Run> {
  const { drills, seed, credential, leaseMs, allowanceMs, urls, format } = wanted;
  const transport = network({ urls, webSocket: WebSocket as unknown as SocketConstructor });
  const text = format === 'text';
  if (text) io.out(headText(urls, seed));
  const run = await runDrills({
    drills,
    transport,
    heard: transport.heard,
    credential,
    seed,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(allowanceMs === undefined ? {} : { allowanceMs }),
    versions: { node: process.version },
    ...(io.signal === undefined ? {} : { signal: io.signal }),
    ...(text ? { onDrill: (result) => io.out(drillText(result)) } : {}),
  });
  if (text) io.out(tailText(run));
  else io.out({ ndjson, junit, markdown }[format](run));
  return run;
}

/** The last run that the file holds is what this one is compared with. */
function keepEvidence(file: string, run: Run, io: Io): void {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run) : undefined;
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`);
  if (before === undefined) return;
  const differences = compareRuns(before, run);
  const head = `Compared with the run of ${before.started_at}:`;
  io.err([head, ...(differences.length > 0 ? differences : ['no difference'])].join('\n  '));
}

function read(args: readonly string[], env: Io['env']): Wanted {
  const values = parse(args);
  const format = FORMATS.find((name) => name === values.format);
  if (format === undefined) throw new Usage(`--format: ${values.format} is not one of them`);
  const seed = whole('--seed', values.seed ?? String(Date.now() % 1_000_000));
  const urls = values.url ?? [];
  if (urls.length === 0) throw new Usage('--url is missing');
  for (const url of urls)
    if (!/^https?:\/\/[^/?#@]+\/?$/.test(url))
      throw new Usage(`--url: ${url} is no http(s) origin`);
  return {
    urls,
    drills: chosen(values.only),
    seed,
    format,
    evidence: values.evidence,
    leaseMs: optional('--lease-ms', values['lease-ms']),
    allowanceMs: optional('--allowance-ms', values['allowance-ms']),
    credential: credential(values.token, env),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string', multiple: true },
        only: { type: 'string' },
        seed: { type: 'string' },
        format: { type: 'string', default: 'text' },
        evidence: { type: 'string' },
        token: { type: 'string' },
        'lease-ms': { type: 'string' },
        'allowance-ms': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new Usage((error as Error).message);
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Usage(`${name}: ${text} is no whole number`);
  return Number(text);
}

const optional = (name: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : whole(name, text);

function chosen(only: string | undefined): readonly Drill[] {
  if (only === undefined) return DRILLS;
  const ids = only.split(',').map((id) => id.trim().toUpperCase());
  const unknown = ids.find((id) => !DRILLS.some((drill) => drill.id === id));
  if (unknown !== undefined) throw new Usage(`--only: there is no drill ${unknown}`);
  return DRILLS.filter(({ id }) => ids.includes(id));
}

function credential(token: string | undefined, env: Io['env']): OperatorCredential {
  const given = token ?? env['WARDROOM_TOKEN'];
  if (given) return { token: given };
  const { WARDROOM_OPERATOR_EMAIL: email, WARDROOM_OPERATOR_PASSWORD: password } = env;
  if (email && password) return { tenant: OPERATORS, email, password };
  throw new Usage('No operator: give --token, or an e-mail and a password by the environment');
}
