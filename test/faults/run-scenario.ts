/**
 * One scenario from beginning to verdict: busy sockets, the fault, changes meanwhile, mending,
 * healing, questions, checker.
 */
import { check } from './checker.js';
import type { Violation } from './checker.js';
import type { FaultCluster } from './cluster.js';
import type { Scenario } from './scenarios.js';
import { Workload } from './workload.js';

export interface Verdict {
  name: string;
  violations: Violation[];
  /** One line of figures. */
  figures: string;
}

/** `twice`: rights are taken after healing, too. */
export async function runScenario(
  cluster: FaultCluster,
  scenario: Scenario,
  twice: boolean,
): Promise<Verdict> {
  const workload = await Workload.start(cluster, {
    rounds: (scenario.rounds ?? 1) + (twice ? 1 : 0),
  });
  try {
    return await runWith(workload, cluster, scenario);
  } finally {
    workload.stop();
  }
}

async function runWith(
  workload: Workload,
  cluster: FaultCluster,
  scenario: Scenario,
): Promise<Verdict> {
  const startedMs = performance.now();
  const { history } = workload;
  const mend = await scenario.apply(cluster);
  const changes = takeRights(workload, cluster, scenario);
  // Time is the subject: the fault has to last longer than the lease.
  const hold = new Promise((resolve) => setTimeout(resolve, scenario.holdMs(cluster.leaseMs)));
  await (scenario.waitForAnswers === false ? hold : Promise.all([hold, changes]));
  await mend();
  const readyMs = await cluster.ready();
  await workload.heal(readyMs, 2_000);
  await changes;
  // None are left when there was one set only.
  await workload.takeRights(cluster.nodes);
  const ledger = await workload.finish();
  const violations = check(history, ledger, { nobodyFenced: scenario.redisOnly === true });
  const receipts = history.changes.flatMap((change) =>
    change.receipt === null ? [] : [change.receipt.ms],
  );
  const figures = [
    `${history.frames.length} frames`,
    `${history.ops.filter(({ outcome }) => outcome === 'ok').length}/${history.ops.length} ops ok`,
    `${ledger.events.length} events`,
    `${history.changes.filter(({ effectiveMs }) => effectiveMs !== null).length}/${history.changes.length} receipts effective, slowest ${Math.max(0, ...receipts)} ms`,
    `ready after ${Math.round(readyMs)} ms`,
    `delivered after ${history.healed?.deliveredMs === null ? 'never' : `${Math.round(history.healed!.deliveredMs)} ms`}`,
    `${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
  ].join(', ');
  return { name: scenario.name, violations: shortened(violations), figures };
}

async function takeRights(
  workload: Workload,
  cluster: FaultCluster,
  { via, holdMs, rounds = 1 }: Scenario,
): Promise<void> {
  const taken: Promise<void>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0)
      await new Promise((resolve) => setTimeout(resolve, holdMs(cluster.leaseMs) / rounds));
    taken.push(workload.takeRights(via?.(cluster) ?? cluster.nodes));
  }
  await Promise.all(taken);
}

/** The first few of each rule: a broken rule is broken a thousand times. */
function shortened(violations: Violation[]): Violation[] {
  const count = new Map<string, number>();
  const shown = violations.filter(({ rule }) => {
    count.set(rule, (count.get(rule) ?? 0) + 1);
    return count.get(rule)! <= 5;
  });
  for (const [rule, n] of count) if (n > 5) shown.push({ rule, detail: `… ${n} in all` });
  return shown;
}
