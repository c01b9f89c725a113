/**
 * One run: makes the tenants, runs the drills, removes what it made, and answers what it found. It
 * throws only when it could not begin.
 */
import type { Conditions } from './bounds.js';
import type { Drill, TenantKind } from './drill.js';
import type { Heard } from './wire/heard.js';
import { operator, Refused } from './operator.js';
import type { OperatorCredential } from './operator.js';
import { removeTenants } from './remove-tenants.js';
import type { DrillResult, Run, StepResult, Verdict } from './report/report.js';
import { Stage } from './stage.js';
import { Unreachable } from './wire/transport.js';
import type { Transport } from './wire/transport.js';
import { World } from './world.js';
import type { Tenant } from './world.js';

export interface RunOptions {
  readonly drills: readonly Drill[];
  readonly transport: Transport;
  readonly heard: Heard;
  readonly credential: OperatorCredential;
  readonly seed: number;
  /** B of the server. */
  readonly leaseMs?: number;
  /** For a busy client, in every bound. */
  readonly allowanceMs?: number;
  readonly versions?: Readonly<Record<string, string>>;
  /** Ends the run early and removes everything that it made. */
  readonly signal?: AbortSignal;
  /** Called as each drill ends, in the order in which they end. */
  readonly onDrill?: (result: DrillResult) => void;
}

/** The drills end within this; removing takes the rest. */
const RUN_MS = 80_000;
const ALL_MS = 90_000;
const LEASE_MS = 5_000;
const ALLOWANCE_MS = 250;
const BRIEF_SECONDS = 5;
const ROUND_TRIPS = 5;

export async function runDrills(options: RunOptions): Promise<Run> {
  const { transport, heard, seed } = options;
  const startedAt = performance.now();
  const startedWall = new Date().toISOString();
  const asOperator = await operator(transport, heard, options.credential);
  const roundTripMs = await measureRoundTrip(transport);
  const { leaseMs = LEASE_MS, allowanceMs = ALLOWANCE_MS } = options;
  const conditions = { leaseMs, allowanceMs, roundTripMs };
  const made: Tenant[] = [];
  const worlds = new Map<TenantKind, Promise<World>>();
  const worldOf = (kind: TenantKind): Promise<World> => {
    const seconds = kind === 'brief' ? BRIEF_SECONDS : undefined;
    const world = worlds.get(kind) ?? World.create(transport, heard, asOperator, made, seconds);
    worlds.set(kind, world);
    return world;
  };
  const run = async (drill: Drill): Promise<DrillResult> => {
    const random = seeded(seed + Number(drill.id.slice(1)));
    const parts = { transport, heard, conditions, random };
    const result = await runOne(drill, worldOf, parts, over);
    options.onDrill?.(result);
    return result;
  };
  const { over, done } = end(RUN_MS - (performance.now() - startedAt), options.signal);
  const results: DrillResult[] = [];
  let removed = '';
  try {
    results.push(...(await Promise.all(options.drills.filter(({ alone }) => !alone).map(run))));
    for (const drill of options.drills.filter(({ alone }) => alone)) results.push(await run(drill));
  } finally {
    done();
    const left = ALL_MS - (performance.now() - startedAt);
    removed = await removeTenants(transport, asOperator, made, left);
  }
  const order = options.drills.map(({ id }) => id);
  results.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  return {
    seed,
    urls: transport.nodes,
    started_at: startedWall,
    ms: Math.round(performance.now() - startedAt),
    versions: { ...(await serverVersion(transport)), ...options.versions },
    round_trip_ms: Math.round(roundTripMs * 10) / 10,
    drills: results,
    removed,
    verdict: results.some(({ verdict }) => verdict === 'failed') ? 'failed' : 'passed',
  };
}

async function runOne(
  drill: Drill,
  worldOf: (kind: TenantKind) => Promise<World>,
  parts: { transport: Transport; heard: Heard; conditions: Conditions; random: () => number },
  over: Promise<string>,
): Promise<DrillResult> {
  const startedAt = performance.now();
  const world = await worldOf(drill.tenant).catch((error: Error) => {
    throw error instanceof Unreachable
      ? error
      : new Refused(`No tenant was made: ${error.message}.`);
  });
  const stage = new Stage<string>(drill, { ...parts, world });
  const why = await Promise.race([stage.run(), over]);
  if (why !== undefined) stage.giveUp(why);
  const steps = stage.results();
  const ms = Math.round(performance.now() - startedAt);
  return { id: drill.id, name: drill.name, verdict: verdictOf(steps), ms, steps };
}

/** Why a run ends before its drills do: its time is over, or somebody interrupts it. */
function end(withinMs: number, signal: AbortSignal | undefined) {
  let done = (): void => {};
  const over = new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve('the time of the run was over'), withinMs);
    const interrupt = () => resolve('the run was interrupted');
    if (signal?.aborted === true) interrupt();
    signal?.addEventListener('abort', interrupt);
    done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
    };
  });
  return { over, done };
}

function verdictOf(steps: readonly StepResult[]): Verdict {
  const verdicts = new Set(steps.map(({ verdict }) => verdict));
  if (verdicts.has('failed')) return 'failed';
  if (verdicts.has('skipped')) return 'skipped';
  return verdicts.has('not reached') ? 'failed' : 'passed';
}

/** The shortest of some calls that need no credential and no store. */
async function measureRoundTrip(transport: Transport): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i < ROUND_TRIPS; i += 1) {
    const startedAt = performance.now();
    await transport.call('/livez');
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest;
}

async function serverVersion(transport: Transport): Promise<Record<string, string>> {
  const { body } = await transport.call('/openapi.json').catch(() => ({ body: null }));
  const { version } = (body?.['info'] ?? {}) as { version?: string };
  return version === undefined ? {} : { api: version };
}

/** Numbers that the same seed gives again (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
