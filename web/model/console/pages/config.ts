/** The configuration in effect, where each value came from, and what has changed. */
import { computed, signal } from '@preact/signals';
import type { AuditRecordView } from '../../../../src/admin/audit/audit.schema.js';
import type { Configuration } from '../../../../src/admin/config/config.schema.js';
import { get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { plain, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type ConfigValue = Configuration['items'][number];
export interface Difference {
  readonly node: string;
  readonly name: string;
  readonly there: string;
  readonly here: string;
}
export interface Change {
  readonly at: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export class EffectiveConfig {
  readonly config = signal<Configuration | null>(null);
  readonly changes = signal<readonly Change[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  readonly typed = signal('');
  /** Those that somebody set come first: they are what one looks for. */
  readonly shown = computed(() => {
    const text = this.typed.value.trim().toUpperCase();
    return (this.config.value?.items ?? [])
      .filter(({ name, meaning }) => `${name} ${meaning}`.toUpperCase().includes(text))
      .sort((a, b) => Number(a.source === 'default') - Number(b.source === 'default'));
  });
  readonly differences = computed(() => differencesOf(this.config.value));

  constructor(private readonly caller: Caller) {}

  async load(): Promise<void> {
    this.trouble.value = null;
    try {
      const [config, { items }] = await Promise.all([
        send<Configuration>(this.caller, get('/v1/admin/config')),
        send<{ items: AuditRecordView[] }>(
          this.caller,
          get('/v1/admin/audit', { event: 'config_changed', limit: 50 }),
        ),
      ]);
      this.config.value = config;
      this.changes.value = items.map(({ at, detail: { name, from, to } }) => ({
        at,
        name: plain(name),
        from: plain(from),
        to: plain(to),
      }));
    } catch (error) {
      this.trouble.value = troubleOf(error);
    }
  }
}

export function differencesOf(config: Configuration | null): Difference[] {
  return (config?.nodes ?? []).flatMap(({ name: node, id, differs }) =>
    (differs ?? []).map(({ name, value, here }) => ({
      node: `${node} …${id.slice(-4)}`,
      name,
      there: plain(value),
      here: plain(here),
    })),
  );
}
