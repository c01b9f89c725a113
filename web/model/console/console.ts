/**
 * The console of somebody: who they are, where they are in it, and the change that they are about
 * to make. Knows no DOM.
 */
import { computed, signal } from '@preact/signals';
import type { Me } from '@wardroom/client';
import type { NodeView } from '../../../src/admin/live/node.schema.js';
import { Announcements } from '../announcements.js';
import { CONSOLE_INTENTS, tellDeed } from './announced.js';
import type { ConsoleSaid } from './announced.js';
import { Doing } from './deed.js';
import type { Deed } from './deed.js';
import { hashOf, placeOf } from './place.js';
import type { Fields, Place } from './place.js';
import { ReceiptRun } from './receipt-run.js';
import { get, send } from './rest.js';
import type { Caller } from './rest.js';
import { Rights } from './rights.js';
import { StepUp } from './step-up.js';

/** The address bar. */
export interface AddressBar {
  read(): string;
  /** `replace`: the way back does not lead through what was there. */
  write(hash: string, replace: boolean): void;
}

export class Console {
  readonly place = signal<Place>({ page: '', id: '', fields: {} });
  readonly rights = computed(() => {
    const me = this.session.me.value;
    return me === null ? null : new Rights(me);
  });
  readonly nodes = signal<readonly { id: string; name: string }[]>([]);
  readonly doing = signal<Doing | null>(null);
  readonly said: ConsoleSaid;
  readonly stepUp = new StepUp(() => this.caller);
  /** The bound of the nodes; undefined: not known to this role. */
  leaseMs: number | undefined;

  constructor(
    readonly session: {
      readonly me: { readonly value: Me | null };
      readonly client: { readonly session: Caller | undefined };
    },
    /** Without a slash at its end. */
    readonly base: string,
    private readonly bar: AddressBar,
    said: ConsoleSaid = new Announcements(() => CONSOLE_INTENTS),
  ) {
    this.said = said;
    this.arrived();
  }

  get caller(): Caller {
    return this.session.client.session!;
  }

  /** The address bar shows another place. */
  arrived(): void {
    const before = this.place.peek().page;
    this.place.value = placeOf(this.bar.read());
    const { page } = this.place.value;
    const link = this.rights.peek()?.pages.find((each) => each.page === page);
    if (link !== undefined && page !== before) this.said.say('opened', link.title);
  }

  go(page: string, id = '', fields: Fields = {}): void {
    this.bar.write(hashOf({ page, id, fields }), false);
    this.arrived();
  }

  /** Other filters of the same page. */
  filter(fields: Fields): void {
    const { page, id } = this.place.value;
    this.bar.write(hashOf({ page, id, fields }), true);
    this.arrived();
  }

  /** The names of nodes, for receipts. Not every role may know them: then ids are shown. */
  async learnNodes(): Promise<void> {
    if (this.rights.value?.may('list_nodes', { tenantId: null }) !== true) return;
    const { items } = await send<{ items: NodeView[] }>(
      this.caller,
      get('/v1/admin/nodes', { limit: 50 }),
    );
    this.nodes.value = namesOf(items);
    this.leaseMs = items.find(({ state }) => state === 'serving')?.lease_ms;
  }

  /** Opens the dialog of a change. */
  begin(deed: Deed, onDone: () => unknown = () => undefined): void {
    void this.learnNodes().catch(() => undefined);
    const run = new ReceiptRun(
      this.caller,
      () => this.nodes.value,
      () => this.stepUp.ask(),
    );
    tellDeed(this.said, deed, run);
    this.doing.value = new Doing(deed, run, this.base, onDone);
  }
}

/** Those that may have to confirm; two of one host are told apart by the end of their id. */
export function namesOf(nodes: readonly NodeView[]): { id: string; name: string }[] {
  const alive = nodes.filter(({ state }) => state !== 'gone');
  return alive.map(({ id, name }) => ({
    id,
    name: alive.some((other) => other.id !== id && other.name === name)
      ? `${name} …${id.slice(-4)}`
      : name,
  }));
}
