/** The installation at a glance, looked at every 2 s while somebody sees it. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge, type BadgeTone } from '../../kit/said/badge.js';
import { Banner } from '../../kit/said/banner.js';
import { Id } from '../../kit/data/id.js';
import { Moment, nowMs } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Pane } from '../../kit/pane.js';
import { tellAlerts } from '../../model/console/announced.js';
import { type NodeView, Overview } from '../../model/console/pages/overview.js';
import { readReadiness } from '../../model/console/readiness.js';
import { duration, relative } from '../../model/console/words.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, TroubleLine } from '../parts.js';

const TONES: Record<NodeView['state'], BadgeTone> = {
  serving: 'good',
  fenced: 'bad',
  draining: 'warn',
  gone: 'plain',
};

const COLUMNS: readonly Column<NodeView>[] = [
  { title: 'Node', wide: true, cell: ({ name }) => name },
  { title: 'Id', from: 'm', cell: ({ id }) => <Id id={id} of="node" tabIndex={-1} /> },
  { title: 'State', cell: ({ state }) => <Badge tone={TONES[state]} text={state} /> },
  {
    title: 'Lease left',
    end: true,
    cell: ({ lease_left_ms: left }) => (left === null ? '—' : `${left} ms`),
  },
  {
    title: 'Position',
    end: true,
    cell: ({ position, head }) => (position === head ? position : `${position} of ${head}`),
  },
  {
    title: 'Clock',
    end: true,
    from: 'm',
    cell: ({ clock_offset_ms: ms }) => (ms === null ? '—' : `${ms > 0 ? '+' : ''}${ms} ms`),
  },
  { title: 'Conn.', end: true, cell: ({ connections }) => connections ?? '—' },
  { title: 'Rooms', end: true, from: 'm', cell: ({ rooms }) => rooms ?? '—' },
  { title: 'Version', from: 'l', cell: ({ version }) => version ?? '—' },
  { title: 'Started', from: 'l', cell: ({ started_at: at }) => <Moment at={at} /> },
];

export function OverviewPage({ console }: PageProps) {
  const overview = useMemo(
    () => new Overview(console.caller, () => readReadiness(console.base)),
    [console],
  );
  useEffect(() => tellAlerts(console.said, overview.alerts), [console, overview]);
  useEffect(() => overview.watch(() => document.visibilityState === 'visible'), [overview]);
  const lookedAt = overview.lookedAt.value;
  const nodes = overview.nodes.value;
  const closes = overview.closes.value;
  const details = overview.readiness.value?.details ?? {};
  return (
    <section aria-label="Overview" class="stack">
      <TroubleLine trouble={overview.trouble.value} again={() => void overview.look()} />
      <div class="alerts">
        {overview.alerts.value.map(({ tone, text, note }) => (
          <Banner key={text} tone={tone} title={text} text={note} />
        ))}
        {lookedAt !== null && overview.alerts.value.length === 0 ? (
          <p class="well">
            <Badge tone="good" text="Everything serves." />
          </p>
        ) : null}
      </div>
      <Pane
        title={`Nodes (${nodes.filter(({ state }) => state !== 'gone').length})`}
        label="Nodes"
        aside={
          <>
            <small>
              {lookedAt === null ? 'looking …' : `looked ${relative(lookedAt, nowMs.value)}`}
            </small>
            <CopyAs
              console={console}
              asks={[{ method: 'GET', path: '/v1/admin/nodes' }]}
              cli="npx wardroom nodes"
            />
          </>
        }
      >
        {nodes.length === 0 ? (
          <p class="empty">Asking the nodes …</p>
        ) : (
          <Table label="Nodes" columns={COLUMNS} rows={nodes} keyOf={({ id }) => id} />
        )}
      </Pane>
      <div class="halves">
        <Pane
          title="Closes of the last hour"
          label="Closes of the last hour"
          aside={<Bars values={overview.closesAMinute.value} />}
        >
          {closes.length === 0 ? (
            <p class="empty">No connection has ended in the last hour, as far as is counted.</p>
          ) : (
            <ul class="bars">
              {closes.map(({ side, code, count }) => (
                <li key={`${side} ${code}`}>
                  <span>{side}</span>
                  <code>{code}</code>
                  <span class="bar" aria-hidden="true">
                    <span style={{ width: `${(100 * count) / closes[0]!.count}%` }} />
                  </span>
                  <span class="end">{count}</span>
                </li>
              ))}
            </ul>
          )}
        </Pane>
        <Pane title="Stores, as this node sees them" label="Stores">
          <ul class="stores">
            {['postgres', 'redis', 'authority', 'serving', 'tls'].map((name) => {
              const detail = details[name];
              if (detail === undefined) return null;
              const isUp = detail['status'] === 'up' && detail['connected'] !== false;
              return (
                <li key={name}>
                  <span>{name}</span>
                  <Badge tone={isUp ? 'good' : 'bad'} text={isUp ? 'up' : 'down'} />
                  <small>
                    {typeof detail['recent_error'] === 'string' ? detail['recent_error'] : ''}
                  </small>
                </li>
              );
            })}
          </ul>
          <p class="note">
            A node that loses Postgres stops by itself within its lease
            {nodes[0] === undefined ? '' : ` of ${duration(nodes[0].lease_ms)}`}.
          </p>
        </Pane>
      </div>
    </section>
  );
}

/** Minute by minute; the figures are in the list beside it. */
function Bars({ values }: { values: readonly number[] }) {
  const top = Math.max(1, ...values);
  if (values.length === 0) return null;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${values.length} 20`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {values.map((value, i) => (
        <rect key={i} x={i} width={0.8} y={20 - (20 * value) / top} height={(20 * value) / top} />
      ))}
    </svg>
  );
}
