/**
 * The drills, run in this page against the node that serves it. The operator's part goes through
 * the cookies of the console; tokens of the people that a drill makes live in the page while it
 * runs, and end with their tenant.
 */
import { computed, signal } from '@preact/signals';
import type { DrillResult, Run, Transport } from '../../../../drills/src/index.js';
import type { SocketConstructor } from '@wardroom/client';
import { cliOf } from '../rest.js';
import type { Caller } from '../rest.js';
import { troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type { DrillResult, Run };
/** Loaded when somebody opens the page: it is no part of what the console loads at first. */
export type Library = Pick<
  typeof import('../../../../drills/src/index.js'),
  'DRILLS' | 'compareRuns' | 'network' | 'runDrills' | 'Unreachable'
>;

export interface Evidence {
  read(): string | null;
  write(text: string): void;
}

export type DrillsState = 'loading' | 'ready' | 'running' | 'over' | 'failed';

export interface DrillLine {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly string[];
  readonly result: DrillResult | null;
}

const ANSWER_ACCEPTED = 202;

export class Drills {
  readonly state = signal<DrillsState>('loading');
  readonly trouble = signal<Trouble | null>(null);
  readonly chosen = signal<ReadonlySet<string>>(new Set());
  readonly results = signal<ReadonlyMap<string, DrillResult>>(new Map());
  readonly run = signal<Run | null>(null);
  /** The run before, of this browser. */
  readonly before = signal<Run | null>(null);
  readonly differences = signal<readonly string[]>([]);
  readonly lines = computed((): DrillLine[] => {
    const { value: results } = this.results;
    return this.#known.value.map(({ id, name, steps }) => ({
      id,
      name,
      steps: Object.values(steps).map(({ sentence }) => sentence),
      result: results.get(id) ?? null,
    }));
  });
  readonly #known = signal<Library['DRILLS']>([]);
  #library: Library | null = null;
  #stop: AbortController | null = null;

  constructor(
    private readonly caller: Caller,
    private readonly base: string,
    private readonly evidence: Evidence,
    private readonly load: () => Promise<Library>,
  ) {}

  async open(): Promise<void> {
    try {
      this.#library = await this.load();
      this.#known.value = this.#library.DRILLS;
      this.chosen.value = new Set(this.#library.DRILLS.map(({ id }) => id));
      this.before.value = parsed(this.evidence.read());
      this.state.value = 'ready';
    } catch (error) {
      this.trouble.value = troubleOf(error);
      this.state.value = 'failed';
    }
  }

  toggle(id: string): void {
    const next = new Set(this.chosen.value);
    if (!next.delete(id)) next.add(id);
    this.chosen.value = next;
  }

  /** Ends early, and removes what was made. */
  stop(): void {
    this.#stop?.abort();
  }

  async start(leaseMs: number | undefined, seed = Date.now() % 1_000_000): Promise<void> {
    const library = this.#library;
    if (library === null || this.state.value === 'running' || this.chosen.value.size === 0) return;
    this.state.value = 'running';
    this.trouble.value = null;
    this.results.value = new Map();
    this.run.value = null;
    this.differences.value = [];
    this.#stop = new AbortController();
    try {
      const transport = library.network({
        urls: [this.base],
        webSocket: globalThis.WebSocket as unknown as SocketConstructor,
      });
      const mark = crypto.randomUUID();
      const run = await library.runDrills({
        drills: library.DRILLS.filter(({ id }) => this.chosen.value.has(id)),
        transport: asOperator(transport, mark, this.caller, library),
        heard: transport.heard,
        credential: { token: mark },
        seed,
        ...(leaseMs === undefined ? {} : { leaseMs }),
        signal: this.#stop.signal,
        onDrill: (result) =>
          (this.results.value = new Map([...this.results.value, [result.id, result]])),
      });
      if (this.before.value !== null)
        this.differences.value = library.compareRuns(this.before.value, run);
      this.run.value = run;
      this.evidence.write(JSON.stringify(run));
      this.state.value = 'over';
    } catch (error) {
      this.trouble.value =
        error instanceof library.Unreachable
          ? troubleOf({ code: 'network' })
          : troubleOf({ code: 'drills', message: error instanceof Error ? error.message : '' });
      this.state.value = 'ready';
    }
  }

  get cli(): string {
    const all = this.chosen.value.size === this.#known.value.length;
    const only = all ? undefined : [...this.chosen.value].join(',');
    return cliOf(['drill'], { url: this.base, only });
  }
}

/** Calls with the mark are the operator's: made over the cookies of the console. */
export function asOperator(
  transport: Transport,
  mark: string,
  caller: Caller,
  { Unreachable }: Pick<Library, 'Unreachable'>,
): Transport {
  return {
    nodes: transport.nodes,
    fetch: transport.fetch,
    socket: transport.socket,
    open: (node, query) => transport.open(node, query),
    call: async (path, call = {}) => {
      if (call.token !== mark) return transport.call(path, call);
      const { method = call.body === undefined ? 'GET' : 'POST', body } = call;
      const headers = new Headers();
      try {
        const answer = await caller.call<Record<string, unknown> | null>(
          path,
          body === undefined ? { method } : { method, body },
        );
        // The session of the page hides the status: only an erasure is answered while it goes on.
        const status = answer?.['state'] === 'erasing' ? ANSWER_ACCEPTED : 200;
        return { status, ok: true, headers, body: answer };
      } catch (error) {
        const { code, status = 0 } = error as { code?: string; status?: number };
        if (status === 0) throw new Unreachable('the node does not answer', { cause: error });
        return { status, ok: false, headers, body: { code: code ?? 'unknown' } };
      }
    },
  };
}

/** An evidence of another version of the page is none. */
function parsed(text: string | null): Run | null {
  try {
    const run = JSON.parse(text ?? 'null') as Run | null;
    return Array.isArray(run?.drills) ? run : null;
  } catch {
    return null;
  }
}
