/** The nodes of the try-out, as each describes itself. */
import { signal } from '@preact/signals';
import type { TryNodeView } from '../../src/try-out/try-out.schema.js';

export type NodeState = 'unknown' | 'serving' | 'fenced' | 'away';

export class TryNode {
  readonly state = signal<NodeState>('unknown');
  id = '';
  leaseMs = 0;
  tenant = '';
  room = '';

  constructor(
    readonly name: string,
    readonly url: string,
    readonly internalUrl: string | null,
  ) {}

  /** Asks the node about itself. A node that does not answer is `away`. */
  async look(): Promise<void> {
    const view = await describe(this.url);
    if (view === null) this.state.value = 'away';
    else this.take(view);
  }

  take(view: TryNodeView): void {
    this.id = view.id;
    this.leaseMs = view.lease_ms;
    this.tenant = view.tenant;
    this.room = view.room;
    this.state.value = view.state;
  }
}

/** Throws a sentence when the page's own node does not answer. */
export async function findNodes(origin: string): Promise<TryNode[]> {
  const view = await describe(origin);
  if (view === null)
    throw new Error(
      'This node does not answer the try-out page. Was it started with npm start or npm run dev?',
    );
  const alone = {
    name: 'a',
    url: origin,
    internal_url:
      view.internal_port === 0 ? null : `http://${new URL(origin).hostname}:${view.internal_port}`,
  };
  const nodes = (view.nodes ?? [alone]).map(
    ({ name, url, internal_url }) => new TryNode(name, url, internal_url),
  );
  await Promise.all(nodes.map((node) => node.look()));
  return nodes;
}

async function describe(url: string): Promise<TryNodeView | null> {
  const answer = await fetch(`${url}/v1/try`, {
    signal: AbortSignal.timeout(3_000),
    credentials: 'omit',
  }).catch(() => null);
  return answer?.ok === true ? ((await answer.json()) as TryNodeView) : null;
}
