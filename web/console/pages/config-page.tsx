/** The effective configuration, with sources and changes. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Banner } from '../../kit/said/banner.js';
import { Moment } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import { Pane } from '../../kit/pane.js';
import { type ConfigValue, EffectiveConfig } from '../../model/console/pages/config.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, Sentence, TroubleLine } from '../parts.js';

const COLUMNS: readonly Column<ConfigValue>[] = [
  { title: 'Variable', cell: ({ name }) => <code title={name}>{name}</code> },
  {
    title: 'Value',
    wide: true,
    cell: ({ value, secret }) => (
      <span title={value ?? ''}>{value === null ? '—' : secret ? `secret, ${value}` : value}</span>
    ),
  },
  {
    title: 'Source',
    from: 'm',
    cell: ({ source }) => (source === 'default' ? 'default' : <Badge tone="plain" text={source} />),
  },
  {
    title: 'Meaning',
    wide: true,
    from: 'm',
    cell: ({ meaning }) => (
      <span title={meaning}>
        <Sentence text={meaning} />
      </span>
    ),
  },
];

export function ConfigPage({ console }: PageProps) {
  const model = useMemo(() => new EffectiveConfig(console.caller), [console]);
  useEffect(() => void model.load(), [model]);
  const differences = model.differences.value;
  return (
    <section class="stack" aria-label="Configuration">
      <TroubleLine trouble={model.trouble.value} again={() => void model.load()} />
      {differences.length === 0 ? null : (
        <Banner
          tone="warn"
          title="Nodes differ."
          text={differences
            .map(({ node, name, there, here }) => `${name} is ${there} on ${node}, ${here} here`)
            .join('; ')}
        />
      )}
      <Pane
        label="Configuration in effect"
        title="In effect on the node that answers"
        aside={
          <CopyAs
            console={console}
            asks={[{ method: 'GET', path: '/v1/admin/config' }]}
            cli="npx wardroom config print"
          />
        }
      >
        <div class="filters">
          <div class="grow">
            <Field
              label="Find a variable"
              type="search"
              value={model.typed.value}
              onInput={(text) => (model.typed.value = text)}
              placeholder="RATE, token, idle …"
            />
          </div>
        </div>
        {model.config.value === null ? (
          <p class="empty">Asking the node …</p>
        ) : (
          <Table
            label="Configuration"
            columns={COLUMNS}
            rows={model.shown.value}
            keyOf={({ name }) => name}
          />
        )}
      </Pane>
      <Pane label="Changes" title="Changes, as nodes started with them">
        {model.changes.value.length === 0 ? (
          <p class="empty">No node has started with another value than the one before.</p>
        ) : (
          <ul class="ended-list">
            {model.changes.value.map(({ at, name, from, to }) => (
              <li key={`${at} ${name}`}>
                <Moment at={at} /> <code>{name}</code> from {from} to {to}
              </li>
            ))}
          </ul>
        )}
      </Pane>
    </section>
  );
}
