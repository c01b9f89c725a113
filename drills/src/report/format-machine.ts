/** For programs: NDJSON, JUnit, and a table in Markdown. */
import { amount } from './format-text.js';
import type { DrillResult, Run, StepResult } from './report.js';

/** One line a step, then one of the run. */
export function ndjson(run: Run): string {
  const { drills, ...rest } = run;
  const lines = drills.flatMap(({ id, steps }) =>
    steps.map((step) => ({ type: 'step', drill: id, ...step })),
  );
  return [...lines, { type: 'run', ...rest }].map((line) => JSON.stringify(line)).join('\n');
}

/** A drill is a suite and a step is a case. */
export function junit(run: Run): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="wardroom drill" time="${run.ms / 1000}">`,
    ...run.drills.map(suiteXml),
    '</testsuites>',
  ].join('\n');
}

export function markdown(run: Run): string {
  const rows = run.drills.flatMap(({ steps }) => steps).map(rowOf);
  return [
    `# Drills of ${run.urls.join(' and ')}: ${run.verdict}`,
    '',
    `${run.started_at}, seed ${run.seed}, ${run.ms} ms, round trip ${run.round_trip_ms} ms. ` +
      `Afterwards: ${run.removed}.`,
    '',
    '| step | what holds | measured | bound | verdict |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function rowOf(step: StepResult): string {
  const why = [step.why, step.page].filter((part) => part !== undefined).join('; ');
  const cells = [
    step.id,
    step.sentence,
    amount(step.measured, step.unit),
    amount(step.bound, step.unit),
    why === '' ? step.verdict : `${step.verdict}: ${why}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function suiteXml({ id, name, ms, steps }: DrillResult): string {
  const count = (verdict: StepResult['verdict']) =>
    steps.filter((step) => step.verdict === verdict).length;
  const skipped = count('skipped') + count('not reached');
  return [
    `  <testsuite name="${escaped(`${id} ${name}`)}" tests="${steps.length}" ` +
      `failures="${count('failed')}" skipped="${skipped}" time="${ms / 1000}">`,
    ...steps.map(caseXml),
    '  </testsuite>',
  ].join('\n');
}

function caseXml({ id, sentence, verdict, measured, unit, why, page }: StepResult): string {
  const time = unit === 'ms' && measured !== undefined ? ` time="${measured / 1000}"` : '';
  const open = `    <testcase classname="${id}" name="${escaped(sentence)}"${time}`;
  if (verdict === 'passed') return `${open}/>`;
  const text = escaped([why, page].filter((part) => part !== undefined).join('; ') || verdict);
  const outcome = verdict === 'failed' ? 'failure' : 'skipped';
  return `${open}><${outcome} message="${text}"/></testcase>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char]!);
