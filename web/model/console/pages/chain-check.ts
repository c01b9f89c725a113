/** Whether the audit is whole, verified by the node that serves the page, span by span. */
import { signal } from '@preact/signals';
import type { AuditSpan } from '../../../../src/admin/audit/audit.schema.js';
import { get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { duration, plural, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type CheckState = 'ready' | 'reading' | 'whole' | 'broken' | 'stopped';

export const VERDICTS: Readonly<Record<CheckState, string>> = {
  ready: '',
  reading: '',
  whole: 'Whole',
  broken: 'Not whole',
  stopped: 'Stopped',
};

export const VERIFY = '/v1/admin/audit/verify';
/** The node verifies for somebody else, or has to rest. */
const BUSY_MS = 500;
const BUSY_TRIES = 60;

export class ChainCheck {
  readonly state = signal<CheckState>('ready');
  readonly records = signal(0);
  readonly left = signal<number | null>(null);
  readonly findings = signal<readonly string[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  #chains = 0;
  #ms = 0;
  #stopped = false;

  constructor(
    private readonly caller: Caller,
    private readonly clock: { now(): number } = performance,
    private readonly pause = (ms: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, ms)),
  ) {}

  async run(): Promise<void> {
    if (this.state.value === 'reading') return;
    this.#stopped = false;
    this.state.value = 'reading';
    this.records.value = 0;
    this.left.value = null;
    this.findings.value = [];
    this.trouble.value = null;
    const startedMs = this.clock.now();
    try {
      for (let after: string | undefined; !this.#stopped;) {
        const span: AuditSpan = await this.#span(after);
        this.records.value += span.records;
        this.left.value = span.left;
        this.#chains = span.chains;
        this.findings.value = [...new Set([...this.findings.value, ...said(span)])];
        after = span.next_cursor ?? undefined;
        if (after === undefined) break;
      }
      this.#ms = this.clock.now() - startedMs;
      const end = this.findings.value.length === 0 ? 'whole' : 'broken';
      this.state.value = this.#stopped ? 'stopped' : end;
    } catch (error) {
      this.trouble.value = troubleOf(error);
      this.state.value = 'stopped';
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The findings without their verdict. */
  get words(): string {
    const records = plural(this.records.value, 'record');
    const read = `${records} in ${plural(this.#chains, 'chain')}`;
    switch (this.state.value) {
      case 'ready':
        return '';
      case 'reading':
        return this.left.value === null
          ? 'Reading the first records …'
          : `${records} read, ${this.left.value} left …`;
      case 'whole':
        return `${read}, verified in ${duration(this.#ms)}.`;
      case 'broken':
        return `${plural(this.findings.value.length, 'finding')} in ${read}.`;
      case 'stopped':
        return `${records} read, nothing is proven.`;
    }
  }

  get sentence(): string {
    const verdict = VERDICTS[this.state.value];
    return verdict === '' ? this.words : `${verdict}: ${this.words}`;
  }

  async #span(after: string | undefined): Promise<AuditSpan> {
    for (let tries = 1; ; tries += 1)
      try {
        return await send<AuditSpan>(this.caller, get(VERIFY, { after }));
      } catch (error) {
        const { code } = troubleOf(error);
        const isBusy = code === 'overloaded' || code === 'rate_limited';
        if (!isBusy || tries === BUSY_TRIES || this.#stopped) throw error;
        await this.pause(BUSY_MS);
      }
  }
}

const said = ({ findings, findings_more: more }: AuditSpan): string[] =>
  more === 0 ? findings : [...findings, `and ${more} more in the same records`];
