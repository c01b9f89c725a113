/**
 * The effects of one deed, step by step: the call, the commit, each node, then what the sockets
 * received. Only what was observed becomes a step. A call that waits is shown as waiting, one that
 * was refused as refused.
 */
import { type ReadonlySignal, signal } from '@preact/signals';

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface Step {
  /** Ms after the call, by the clock of this page. */
  ms: number;
  text: string;
  /** A second, quieter line. */
  note?: string;
  tone: Tone;
  /** Something that a socket saw. */
  effect?: true;
}

export interface ReceiptView {
  effective: boolean;
  sessions: number;
  connections_closed: number;
  nodes: { id: string; state: 'confirmed' | 'fenced'; ms: number }[];
  committed_ms?: number;
  ms: number;
}

/** Ms after the beginning of the run, by the clock of this page. */
export interface CallTimes {
  calledMs: number;
  answeredMs: number;
  /** When a socket first saw an effect of the call; Infinity: none did. */
  firstEffectMs: number;
}

export type RunState = 'waiting' | 'done' | 'refused' | 'failed';

/** One deed and what followed. Grows until the next deed begins. */
export class Run {
  readonly #steps = signal<Step[]>([]);
  readonly #state = signal<RunState>('waiting');
  readonly #waitsFor = signal<string | null>(null);
  readonly #curl = signal<string[]>([]);

  constructor(
    readonly id: number,
    readonly title: string,
    /** The effect to look for. */
    readonly hint: string,
    readonly startedMs: number,
    readonly at: Date,
  ) {}

  get steps(): ReadonlySignal<Step[]> {
    return this.#steps;
  }
  get state(): ReadonlySignal<RunState> {
    return this.#state;
  }
  /** The expected event, in words. */
  get waitsFor(): ReadonlySignal<string | null> {
    return this.#waitsFor;
  }
  /** The calls of this deed as anybody can make them. */
  get curl(): ReadonlySignal<string[]> {
    return this.#curl;
  }

  add(...steps: Step[]): void {
    // Stable. Of the same millisecond, what the server did comes before what a socket saw of it.
    const rank = ({ ms, effect }: Step) => ms + (effect === true ? 0.5 : 0);
    this.#steps.value = [...this.#steps.value, ...steps].sort((a, b) => rank(a) - rank(b));
  }

  /** When something happened to a socket, at or after this moment. */
  firstEffectMs(afterMs: number): number {
    return Math.min(
      ...this.#steps.value
        .filter(({ effect, ms }) => effect === true && ms >= afterMs)
        .map(({ ms }) => ms),
      Infinity,
    );
  }

  wait(text: string | null): void {
    this.#waitsFor.value = text;
  }

  addCurl(line: string): void {
    this.#curl.value = [...this.#curl.value, line];
  }

  end(state: RunState): void {
    this.#waitsFor.value = null;
    this.#state.value = state;
  }
}

/**
 * The steps a receipt tells. Its times are the server's, from the beginning of the call there. They
 * are laid between the call and its answer with the time on the way split in halves, but never so
 * that the commit comes after an effect that a socket saw.
 */
export function stepsOfReceipt(
  receipt: ReceiptView,
  { calledMs, answeredMs, firstEffectMs }: CallTimes,
  nameOf: (node: string) => string,
): Step[] {
  const halves = calledMs + Math.max(0, answeredMs - calledMs - receipt.ms) / 2;
  const offset = Math.max(calledMs, Math.min(halves, firstEffectMs - (receipt.committed_ms ?? 0)));
  const at = (ms: number) => Math.round(Math.min(offset + ms, answeredMs));
  const committedMs = Math.floor(Math.min(at(receipt.committed_ms ?? 0), firstEffectMs));
  const { committed_ms, sessions, connections_closed: closed } = receipt;
  return [
    ...(committed_ms === undefined
      ? []
      : [{ ms: committedMs, text: 'committed in Postgres', tone: 'plain' as const }]),
    ...receipt.nodes.map(({ id, state, ms }): Step =>
      state === 'confirmed'
        ? { ms: at(ms), text: `node ${nameOf(id)} confirmed`, tone: 'plain' }
        : {
            ms: at(ms),
            text: `node ${nameOf(id)} fenced`,
            note: 'its lease has run out: it serves nobody until it has read the change',
            tone: 'warn',
          },
    ),
    {
      ms: Math.round(answeredMs),
      text: receipt.effective ? 'receipt: effective' : 'receipt: pending',
      note: `${count(sessions, 'session')} ended, ${count(closed, 'connection')} closed`,
      tone: receipt.effective ? 'good' : 'warn',
    },
  ];
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
