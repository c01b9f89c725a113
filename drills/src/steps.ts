/** The steps of a drill as data. */
import type { BoundName } from './bounds.js';

/** The one order. */
export const PHASES = ['detect', 'stop', 'notify', 'refresh', 'reconnect', 'effect'] as const;
export type Phase = (typeof PHASES)[number];

export interface StepSpec {
  readonly phase: Phase;
  /** A guarantee, in present tense. */
  readonly sentence: string;
  /** Of what the step measures; absent: the step is a fact without a time. */
  readonly bound?: BoundName;
}

export const step = (phase: Phase, sentence: string, bound?: BoundName): StepSpec =>
  bound === undefined ? { phase, sentence } : { phase, sentence, bound };
