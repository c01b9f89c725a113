/**
 * A change and its receipt, node by node, as the answers come. The change is sent with
 * `wait=false`; the receipt is asked for until nobody can act on the old rights any more. Times are
 * those of this page's clock, since the call.
 */
import { signal } from '@preact/signals';
import type { ReceiptView } from '@wardroom/client';
import type { Step } from '../sequence.js';
import { send } from './rest.js';
import type { Ask, Caller } from './rest.js';
import { plural, troubleOf } from './words.js';

export type RunState = 'ready' | 'running' | 'effective' | 'done' | 'pending' | 'refused';

export interface RunClock {
  now(): number;
  pause(ms: number): Promise<void>;
}

export const pageClock: RunClock = {
  now: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

const POLL_MS_MIN = 10;
const POLL_MS_MAX = 500;
/** Longer than a node's lease: then the answer is an honest `pending`. */
const PATIENCE_MS = 60_000;

export class ReceiptRun {
  readonly steps = signal<readonly Step[]>([]);
  readonly state = signal<RunState>('ready');
  /** Nodes, or a call, that have not answered. */
  readonly waitsFor = signal<string | null>(null);
  readonly receipts = signal<readonly ReceiptView[]>([]);
  #startedMs = 0;

  constructor(
    private readonly caller: Caller,
    private readonly nodes: () => readonly { id: string; name: string }[],
    /** Asks for the password; false: its person gave up. */
    private readonly prove: () => Promise<boolean>,
    private readonly clock: RunClock = pageClock,
  ) {}

  /** One call after the other; the first refusal ends it. Answers of the calls, in order. */
  async run(asks: readonly Ask[]): Promise<unknown[]> {
    this.#startedMs = this.clock.now();
    this.state.value = 'running';
    const answers: unknown[] = [];
    let worst: RunState = 'done';
    for (const ask of asks) {
      try {
        const { answer, ended } = await this.#one(ask);
        answers.push(answer);
        if (ended === 'pending' || worst === 'done') worst = worst === 'pending' ? worst : ended;
      } catch (error) {
        const { title, text } = troubleOf(error);
        this.#add({
          text: `refused: ${title.slice(0, -1).toLowerCase()}`,
          note: text,
          tone: 'bad',
        });
        worst = 'refused';
        break;
      }
    }
    this.waitsFor.value = null;
    this.state.value = worst;
    return answers;
  }

  async #one(ask: Ask): Promise<{ answer: unknown; ended: RunState }> {
    this.#add({
      text: ask.label ?? `${ask.method} ${shortPath(ask.path)}`,
      tone: 'plain',
    });
    const answer = await this.#send({ ...ask, path: withoutWaiting(ask) });
    const receipt = receiptOf(answer);
    if (receipt === null) {
      this.#add({
        text: 'done',
        note: 'nothing to wait for: it takes no rights away',
        tone: 'good',
      });
      return { answer, ended: 'done' };
    }
    if (receipt.committed_ms !== undefined)
      this.#add({
        text: 'committed in Postgres',
        note: `${receipt.committed_ms} ms in the server`,
        tone: 'plain',
      });
    return { answer, ended: await this.#follow(receipt) };
  }

  /** Once more with the password, where the server asks for it: then time begins anew. */
  async #send(ask: Ask): Promise<unknown> {
    this.waitsFor.value = 'the commit';
    try {
      return await send(this.caller, ask);
    } catch (error) {
      if (troubleOf(error).code !== 'step_up_required') throw error;
      this.waitsFor.value = 'your password';
      if (!(await this.prove())) throw error;
    }
    this.#startedMs = this.clock.now();
    this.#add({ text: 'sent again, with the password', tone: 'plain' });
    this.waitsFor.value = 'the commit';
    return send(this.caller, ask);
  }

  async #follow(first: ReceiptView): Promise<RunState> {
    const seen = new Set<string>();
    let receipt = first;
    for (let pauseMs = POLL_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
      for (const { id, state } of receipt.nodes) {
        if (seen.has(id)) continue;
        seen.add(id);
        this.#add(nodeStep(this.#name(id), state));
      }
      if (receipt.effective) break;
      this.waitsFor.value = this.#missing(seen);
      if (this.clock.now() - this.#startedMs > PATIENCE_MS) break;
      await this.clock.pause(pauseMs);
      receipt = await this.#ask(receipt);
    }
    this.receipts.value = [...this.receipts.value, receipt];
    this.#add({
      text: receipt.effective ? 'receipt: effective' : 'receipt: pending',
      note: `${plural(receipt.sessions, 'session')} ended, ${plural(receipt.connections_closed, 'connection')} closed`,
      tone: receipt.effective ? 'good' : 'warn',
    });
    return receipt.effective ? 'effective' : 'pending';
  }

  /** A node that is away for a moment does not end the watch. */
  async #ask(last: ReceiptView): Promise<ReceiptView> {
    try {
      return await this.caller.call<ReceiptView>(`/v1/receipts/${last.id}`);
    } catch (error) {
      if (troubleOf(error).again) return last;
      throw error;
    }
  }

  #missing(seen: ReadonlySet<string>): string {
    const names = this.nodes()
      .filter(({ id }) => !seen.has(id))
      .map(({ name }) => name);
    return names.length === 0 ? 'the last node' : `node ${names.join(', node ')}`;
  }

  #name(id: string): string {
    return this.nodes().find((node) => node.id === id)?.name ?? `…${id.slice(-4)}`;
  }

  #add(step: Omit<Step, 'ms'>): void {
    const ms = Math.round(this.clock.now() - this.#startedMs);
    this.steps.value = [...this.steps.value, { ms, ...step }];
  }
}

/** Ids by their last four digits: the whole path is in the curl. */
const shortPath = (path: string): string =>
  path.replace(/[0-9a-f]{8}-[0-9a-f-]{23}([0-9a-f]{4})/g, '…$1');

function nodeStep(name: string, state: 'confirmed' | 'fenced'): Omit<Step, 'ms'> {
  return state === 'confirmed'
    ? { text: `node ${name} confirmed`, tone: 'plain' }
    : {
        text: `node ${name} fenced`,
        note: 'its lease has run out: it serves nobody until it has read the change',
        tone: 'warn',
      };
}

/** Answered at once, with what is known by then. */
const withoutWaiting = ({ path, receipt }: Ask): string =>
  receipt === true ? `${path}${path.includes('?') ? '&' : '?'}wait=false` : path;

function receiptOf(answer: unknown): ReceiptView | null {
  if (typeof answer !== 'object' || answer === null) return null;
  if ('receipt' in answer) return answer.receipt as ReceiptView | null;
  return 'effective' in answer ? (answer as ReceiptView) : null;
}
