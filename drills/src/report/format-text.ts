/** For people: one line a step, aligned, and the page behind each failure. */
import type { DrillResult, Run, StepResult, Verdict } from './report.js';

const WORDS: Record<Verdict, string> = {
  passed: 'ok',
  failed: 'FAILED',
  skipped: 'skipped',
  'not reached': 'not reached',
};
const ID_CHARS = 20;
const SENTENCE_CHARS = 68;

export function headText(urls: readonly string[], seed: number): string {
  return `Drills of ${urls.join(' and ')}, seed ${seed}\n`;
}

/** Of a drill that has ended. */
export function drillText({ id, name, verdict, ms, steps }: DrillResult): string {
  const head = `${id.padEnd(4)} ${name}: ${verdict}, ${seconds(ms)}`;
  return [head, ...steps.map(stepText), ''].join('\n');
}

export function tailText(run: Run): string {
  const count = (verdict: Verdict) => run.drills.filter((one) => one.verdict === verdict).length;
  const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  return [
    `${count('passed')} passed, ${count('failed')} failed${skipped}, in ${seconds(run.ms)}.`,
    `Round trip ${run.round_trip_ms} ms. Afterwards: ${run.removed}.`,
  ].join('\n');
}

function stepText(step: StepResult): string {
  const line = [
    `  ${step.id.padEnd(ID_CHARS)}`,
    step.sentence.padEnd(SENTENCE_CHARS),
    amount(step.measured, step.unit).padStart(9),
    (step.bound === undefined ? '' : `of ${amount(step.bound, step.unit)}`).padStart(12),
    ` ${WORDS[step.verdict]}`,
  ].join(' ');
  const indent = `  ${' '.repeat(ID_CHARS)} `;
  const why = step.why === undefined ? [] : [`${indent}${step.why}`];
  const page = step.page === undefined ? [] : [`${indent}see ${step.page}`];
  return [line.trimEnd(), ...why, ...page].join('\n');
}

export function amount(value: number | undefined, unit: StepResult['unit']): string {
  if (value === undefined) return '';
  if (unit === 'bytes') return `${(value / 1024 / 1024).toFixed(1)} MiB`;
  return `${value} ms`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
