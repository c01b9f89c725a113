/** The differences from an earlier run: verdicts, and times that grew. */
import { amount } from './format-text.js';
import type { Run, StepResult } from './report.js';

/** A time that grew by less says nothing. */
const GREW_MS = 50;

/** One line a difference; none where all is as it was. */
export function compareRuns(before: Run, now: Run): string[] {
  const earlier = new Map(stepsOf(before).map((step) => [step.id, step]));
  return stepsOf(now).flatMap((step) => {
    const was = earlier.get(step.id);
    return was === undefined ? [] : differences(was, step);
  });
}

function differences(was: StepResult, step: StepResult): string[] {
  if (was.verdict !== step.verdict) return [`${step.id} ${step.verdict}, was ${was.verdict}`];
  if (was.measured === undefined || step.measured === undefined || step.unit !== 'ms') return [];
  const grew = step.measured > 2 * was.measured && step.measured - was.measured > GREW_MS;
  const [now, then] = [amount(step.measured, step.unit), amount(was.measured, was.unit)];
  return grew ? [`${step.id} took ${now}, was ${then}`] : [];
}

const stepsOf = ({ drills }: Run): StepResult[] => drills.flatMap(({ steps }) => steps);
