/** The findings of a run, as data: every format is made of it, and the evidence file is it. */
import type { Phase } from '../steps.js';

export type Verdict = 'passed' | 'failed' | 'skipped' | 'not reached';

export interface StepResult {
  /** `D3.notify`. */
  readonly id: string;
  readonly phase: Phase;
  readonly sentence: string;
  readonly verdict: Verdict;
  readonly measured?: number;
  readonly bound?: number;
  readonly unit?: 'ms' | 'bytes';
  /** The observation that failed the step, or the reason why it was left out. */
  readonly why?: string;
  /** The page that explains a failure. */
  readonly page?: string;
}

export interface DrillResult {
  readonly id: string;
  readonly name: string;
  readonly verdict: Verdict;
  readonly ms: number;
  readonly steps: readonly StepResult[];
}

export interface Run {
  readonly seed: number;
  readonly urls: readonly string[];
  readonly started_at: string;
  readonly ms: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly round_trip_ms: number;
  readonly drills: readonly DrillResult[];
  /** The fate of the tenants that the run made. */
  readonly removed: string;
  readonly verdict: 'passed' | 'failed';
}

export const pageOf = (drill: string): string => `docs/drills.md#${drill.toLowerCase()}`;
