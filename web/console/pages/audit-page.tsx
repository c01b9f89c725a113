/** The audit: filters, the table, one record in full, and the live tail. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Facts } from '../../kit/data/facts.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Select } from '../../kit/data/select.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Dialog } from '../../kit/dialog.js';
import { Field } from '../../kit/inputs/field.js';
import { tellFound, tellTail } from '../../model/console/announced.js';
import { Audit, AUDIT_EVENT_NAMES, type AuditRecordView } from '../../model/console/pages/audit.js';
import { hashOf } from '../../model/console/place.js';
import { detailText, plain, spaced } from '../../model/console/words.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { ChainCheckLine } from './chain-check-line.js';

const TYPED_MS = 250;
/** Filters that are rarely wanted are shown on demand. */
const isMoreOpen = signal(false);

const COLUMNS: readonly Column<AuditRecordView>[] = [
  { title: 'When', cell: ({ at }) => <Moment at={at} /> },
  { title: 'Event', cell: ({ event }) => spaced(event) },
  {
    title: 'Detail',
    wide: true,
    cell: ({ detail }) => <span title={detailText(detail)}>{detailText(detail)}</span>,
  },
  {
    title: 'By',
    from: 'm',
    cell: ({ actor_id: id }) => (id === null ? '—' : <Id id={id} of="user" tabIndex={-1} />),
  },
  {
    title: 'About',
    from: 'm',
    cell: ({ user_id: id }) => (id === null ? '—' : <Id id={id} of="user" tabIndex={-1} />),
  },
  { title: 'Address', from: 'l', cell: ({ ip }) => ip ?? '—' },
];

export function AuditPage({ console, rights, place: { fields } }: PageProps) {
  const audit = useMemo(() => new Audit(console.caller), [console]);
  const shown = useSignal<AuditRecordView | null>(null);
  useEffect(() => tellFound(console.said, audit.pager, 'record'), [console, audit]);
  useEffect(() => tellTail(console.said, audit.tail), [console, audit]);
  const asked = JSON.stringify(fields);
  useEffect(() => {
    const timer = setTimeout(() => void audit.open(fields), audit.opened ? TYPED_MS : 0);
    return () => clearTimeout(timer);
  }, [audit, asked]);
  useEffect(() => audit.watch(() => document.visibilityState === 'visible'), [audit]);
  const { pager } = audit;
  const rows = pager.items.value;
  const tail = audit.tail.value;
  const set = (name: string) => (value: string) => console.filter({ ...fields, [name]: value });
  const mayExport = rights.may('export_audit', { tenantId: null });
  return (
    <section class="pane" aria-label="Audit">
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Select
          label="Event"
          value={fields['event'] ?? ''}
          options={[['', 'All'], ...AUDIT_EVENT_NAMES.map((name) => [name, spaced(name)] as const)]}
          onChange={set('event')}
        />
        <div class="grow">
          <Field
            label="Who did it, or about whom"
            value={fields['user'] ?? ''}
            onInput={set('user')}
            placeholder="e-mail or id"
          />
        </div>
        <Button onClick={() => (isMoreOpen.value = !isMoreOpen.value)}>
          {isMoreOpen.value ? 'Fewer filters' : 'More filters'}
        </Button>
        {isMoreOpen.value || audit.isNarrowed(fields) ? (
          <div class="more">
            {rights.ofInstallation ? (
              <Field
                label="Tenant"
                value={fields['tenant'] ?? ''}
                onInput={set('tenant')}
                placeholder="name in URLs"
              />
            ) : null}
            <Field label="Close id" value={fields['close_id'] ?? ''} onInput={set('close_id')} />
            <Field
              label="Connection id"
              value={fields['connection'] ?? ''}
              onInput={set('connection')}
            />
            <Field label="Request id" value={fields['request'] ?? ''} onInput={set('request')} />
            <Button look="quiet" onClick={() => console.filter({})}>
              Clear filters
            </Button>
          </div>
        ) : null}
      </form>
      <div class="toolbar">
        <Button onClick={() => (tail === 'following' ? audit.hold() : audit.follow())}>
          {tail === 'following' ? 'Hold' : 'Follow live'}
        </Button>
        {tail === 'off' ? null : (
          <Badge
            tone={tail === 'following' ? 'good' : 'warn'}
            text={tail === 'following' ? 'following, every 2 s' : 'held: new records are not shown'}
          />
        )}
        <span class="grow" />
        {mayExport ? (
          <a class="button" href={`${console.base}/v1/admin/audit/export`} download="audit.ndjson">
            Export all (NDJSON)
          </a>
        ) : null}
        <CopyAs console={console} asks={[{ method: 'GET', path: audit.path }]} cli={audit.cli} />
      </div>
      {rights.may('verify_audit', { tenantId: null }) ? <ChainCheckLine console={console} /> : null}
      <TroubleLine
        trouble={pager.trouble.value ?? audit.trouble.value}
        again={() => void pager.again()}
      />
      {audit.missed.value ? (
        <p class="note">More came than one look holds: filter, or read on below.</p>
      ) : null}
      {rows.length === 0 && pager.state.value === 'whole' ? (
        <p class="empty">No record is like that. Clear a filter, or follow live.</p>
      ) : (
        <Table
          label="Audit"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
          onOpen={(row) => (shown.value = row)}
          onMore={() => void pager.more()}
          busy={pager.state.value === 'opening'}
          foot={footOf(pager.state.value, rows.length, 'record')}
        />
      )}
      {shown.value === null ? null : (
        <Dialog title={spaced(shown.value.event)} onClose={() => (shown.value = null)}>
          <Facts label="The record" rows={recordRows(shown.value)} />
        </Dialog>
      )}
    </section>
  );
}

function recordRows(record: AuditRecordView) {
  const { at, detail, chain, n, request_id: request, actor_id: actor, user_id: user } = record;
  const people = [
    ['by', actor],
    ['about', user],
  ] as const;
  return [
    { name: 'when', value: at },
    ...people.flatMap(([name, id]) =>
      id === null
        ? []
        : [
            {
              name,
              value: (
                <>
                  <Id id={id} of="user" />{' '}
                  <a href={hashOf({ page: 'sessions', fields: { user: id, state: 'all' } })}>
                    sessions
                  </a>
                </>
              ),
            },
          ],
    ),
    ...(record.ip === null ? [] : [{ name: 'address', value: record.ip }]),
    ...(request === null
      ? []
      : [
          {
            name: 'request or connection',
            value: (
              <>
                <Id id={request} of="request" />{' '}
                <a href={hashOf({ page: 'why', id: request })}>why?</a>
              </>
            ),
          },
        ]),
    ...Object.entries(detail).map(([name, value]) => ({ name: spaced(name), value: plain(value) })),
    {
      name: 'place in the chain',
      value: (
        <>
          {n} of <Id id={chain} of="chain" />
        </>
      ),
    },
  ];
}
