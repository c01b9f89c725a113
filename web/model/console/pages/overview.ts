/** The installation at a glance: nodes, stores, ends of the last hour, and alerts in words. */
import { signal } from '@preact/signals';
import type { NodeView } from '../../../../src/admin/live/node.schema.js';
import type { Stats } from '../../../../src/admin/review/review.schema.js';
import { get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { duration, plural, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type { NodeView };

/** `/readyz`: public, and an answer with 503, too. */
export interface Readiness {
  readonly status: string;
  readonly details: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Alert {
  readonly tone: 'warn' | 'bad';
  readonly text: string;
  readonly note: string;
}

export interface CloseRow {
  readonly side: string;
  readonly code: string;
  readonly count: number;
}

const LOOK_MS = 2_000;
/** A row a minute: asking more often answers the same. */
const STATS_EVERY = 15;
const CLOCK_OFFSET_MS_MAX = 1_000;
const CLOSES = 'wardroom_connections_closed_total';

export class Overview {
  readonly nodes = signal<readonly NodeView[]>([]);
  readonly readiness = signal<Readiness | null>(null);
  readonly closes = signal<readonly CloseRow[]>([]);
  readonly closesAMinute = signal<readonly number[]>([]);
  readonly alerts = signal<readonly Alert[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  /** Ms of the last look; null: none was answered. */
  readonly lookedAt = signal<number | null>(null);
  #looks = 0;

  constructor(
    private readonly caller: Caller,
    private readonly readReadiness: () => Promise<Readiness | null>,
    private readonly now: () => number = Date.now,
  ) {}

  async look(): Promise<void> {
    const withStats = this.#looks % STATS_EVERY === 0;
    this.#looks += 1;
    try {
      const [{ items }, readiness] = await Promise.all([
        send<{ items: NodeView[] }>(this.caller, get('/v1/admin/nodes', { limit: 50 })),
        this.readReadiness(),
        ...(withStats ? [this.#stats()] : []),
      ]);
      this.nodes.value = items;
      this.readiness.value = readiness;
      this.alerts.value = alertsOf(items, readiness);
      this.lookedAt.value = this.now();
      this.trouble.value = null;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    }
  }

  /** Looks every 2 s while somebody sees the page. Answers how to stop. */
  watch(isSeen: () => boolean): () => void {
    let stopped = false;
    let timer: unknown;
    const next = async () => {
      if (isSeen()) await this.look();
      if (!stopped) timer = setTimeout(() => void next(), LOOK_MS);
    };
    void next();
    return () => {
      stopped = true;
      clearTimeout(timer as number | undefined);
    };
  }

  async #stats(): Promise<void> {
    const stats = await send<Stats>(
      this.caller,
      get('/v1/admin/stats', { range: '1h', name: CLOSES }),
    );
    this.closes.value = closesOf(stats);
    this.closesAMinute.value = Array.from({ length: stats.points }, (_, i) =>
      stats.series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0),
    );
  }
}

/** By side and code over all nodes, most first. */
export function closesOf({ series }: Pick<Stats, 'series'>): CloseRow[] {
  const rows = new Map<string, CloseRow>();
  for (const { labels, values } of series) {
    const { side = '', code = '' } = labels;
    const key = `${side} ${code}`;
    const count = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    rows.set(key, { side, code, count: (rows.get(key)?.count ?? 0) + count });
  }
  return [...rows.values()]
    .map((row) => ({ ...row, count: Math.round(row.count) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

/** Worst first. Nodes that are gone are the past, not an alert. */
export function alertsOf(nodes: readonly NodeView[], readiness: Readiness | null): Alert[] {
  const alerts: Alert[] = [];
  const add = (tone: Alert['tone'], text: string, note: string) =>
    alerts.push({ tone, text, note });
  if (readiness === null)
    add('warn', 'Health was not answered.', 'The public health check of this node is not reached.');
  else storeAlerts(readiness, add);
  const alive = nodes.filter(({ state }) => state !== 'gone');
  for (const node of alive) nodeAlerts(node, add);
  if (new Set(alive.map(({ version }) => version)).size > 1)
    add('warn', 'Nodes run different versions.', 'Expected during an upgrade only.');
  return alerts.sort((a, b) => Number(a.tone === 'warn') - Number(b.tone === 'warn'));
}

type Add = (tone: Alert['tone'], text: string, note: string) => void;

function storeAlerts({ details }: Readiness, add: Add): void {
  if (details['postgres']?.['status'] === 'down')
    add(
      'bad',
      'Postgres does not answer this node.',
      'Nodes pause within their lease; nothing is lost, and nobody acts on old rights.',
    );
  const { redis } = details;
  if (redis?.['connected'] === false)
    add('warn', 'Redis does not answer this node.', 'Everything works, only slower.');
  else if (typeof redis?.['recent_error'] === 'string')
    add('warn', 'Redis had trouble in the last minute.', redis['recent_error']);
  if (details['serving']?.['status'] === 'down')
    add('warn', 'The answering node drains.', 'It sends its clients to others.');
}

function nodeAlerts(node: NodeView, add: Add): void {
  const { name, state, position, head, clock_offset_ms: offset, connections } = node;
  if (state === 'fenced')
    add(
      'bad',
      `Node ${name} is fenced.`,
      'It cannot prove that it knows of every change, so it acts for nobody until it can.',
    );
  else if (connections === null && state === 'serving')
    add('warn', `Node ${name} did not answer in 500 ms.`, 'Its figures are those of its row.');
  if (state === 'draining') add('warn', `Node ${name} drains.`, 'It takes no new connections.');
  if (state === 'serving' && head > position)
    add('warn', `Node ${name} is ${plural(head - position, 'change')} behind.`, 'Usual for ms.');
  if (offset !== null && Math.abs(offset) > CLOCK_OFFSET_MS_MAX)
    add('warn', `The clock of node ${name} is off by ${duration(offset)}.`, 'Check NTP there.');
}
