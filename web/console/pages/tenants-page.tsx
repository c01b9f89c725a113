/** Tenants: create, disable, enable, open to registration or guests, erase. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import {
  changeTenant,
  createTenant,
  eraseTenant,
  type TenantView,
} from '../../model/console/pages/people.js';
import { tellFound } from '../../model/console/announced.js';
import { Pager } from '../../model/console/pager.js';
import { hashOf } from '../../model/console/place.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { type RowDeed, RowDialog } from '../row-dialog.js';

export function TenantsPage(props: PageProps) {
  const { console, rights } = props;
  const pager = useMemo(
    () => new Pager<TenantView>(console.caller, () => '/v1/admin/tenants'),
    [console],
  );
  useEffect(() => tellFound(console.said, pager, 'tenant'), [console, pager]);
  useEffect(() => void pager.open({}), [pager]);
  const again = (): unknown => pager.again();
  const opened = useSignal<TenantView | null>(null);
  const slug = useSignal('');
  const name = useSignal('');
  const mayChange = rights.may('create_tenant', { tenantId: null });
  const rows = pager.items.value;
  const columns: Column<TenantView>[] = [
    {
      title: 'Tenant',
      cell: ({ slug: of }) => (
        <a href={hashOf({ page: 'people', fields: { tenant: of } })} tabIndex={-1}>
          {of}
        </a>
      ),
    },
    { title: 'Name', wide: true, cell: ({ name: of }) => <span title={of}>{of}</span> },
    {
      title: 'State',
      cell: ({ state }) => <Badge tone={state === 'active' ? 'plain' : 'bad'} text={state} />,
    },
    { title: 'Registration', from: 'm', cell: (row) => (row.allow_registration ? 'open' : '—') },
    { title: 'Guests', from: 'm', cell: (row) => (row.allow_guests ? 'let in' : '—') },
    {
      title: 'Token life',
      from: 'l',
      cell: ({ access_ttl_seconds: s }) => (s === null ? 'of the node' : `${s} s`),
    },
    { title: 'Created', from: 'l', cell: ({ created_at: at }) => <Moment at={at} /> },
    { title: 'Id', from: 'l', cell: ({ id }) => <Id id={id} of="tenant" tabIndex={-1} /> },
  ];
  return (
    <section class="pane" aria-label="Tenants">
      {mayChange ? (
        <form
          class="filters"
          aria-label="New tenant"
          onSubmit={(event) => {
            event.preventDefault();
            console.begin(createTenant(slug.value, name.value), again);
          }}
        >
          <Field
            label="Name in URLs"
            value={slug.value}
            onInput={(v) => (slug.value = v)}
            placeholder="acme"
            required
          />
          <div class="grow">
            <Field
              label="Name for people"
              value={name.value}
              onInput={(v) => (name.value = v)}
              placeholder="Acme Ltd"
              required
            />
          </div>
          <Button submit>New tenant …</Button>
        </form>
      ) : null}
      <div class="toolbar">
        <span class="grow" />
        <CopyAs
          console={console}
          asks={[{ method: 'GET', path: '/v1/admin/tenants' }]}
          cli="npx wardroom tenants"
        />
      </div>
      <TroubleLine trouble={pager.trouble.value} again={again} />
      <Table
        label="Tenants"
        columns={columns}
        rows={rows}
        keyOf={({ id }) => id}
        onOpen={(tenant) => (opened.value = tenant)}
        onMore={() => void pager.more()}
        foot={footOf(pager.state.value, rows.length, 'tenant')}
      />
      {opened.value === null ? null : (
        <RowDialog
          title={opened.value.slug}
          rows={rowsOf(opened.value)}
          deeds={deedsOf(props, opened.value, mayChange, again)}
          onClose={() => (opened.value = null)}
        />
      )}
    </section>
  );
}

const rowsOf = (tenant: TenantView) => [
  { name: 'name', value: tenant.name },
  { name: 'state', value: tenant.state },
  { name: 'registration', value: tenant.allow_registration ? 'open' : 'by invitation' },
  { name: 'guests', value: tenant.allow_guests ? 'let in' : 'none' },
  {
    name: 'token life',
    value: tenant.access_ttl_seconds === null ? 'of the node' : `${tenant.access_ttl_seconds} s`,
  },
  { name: 'created', value: <Moment at={tenant.created_at} /> },
  { name: 'tenant', value: <Id id={tenant.id} of="tenant" /> },
];

/** The tenant of operators and auditors stays as it is. */
function deedsOf(
  { console, rights }: PageProps,
  tenant: TenantView,
  mayChange: boolean,
  again: () => void,
): RowDeed[] {
  const begin = (deed: Parameters<typeof console.begin>[0]) => console.begin(deed, again);
  const { allow_registration: registers, allow_guests: guests, slug } = tenant;
  const looks = [
    { text: 'People', run: () => console.go('people', '', { tenant: slug }) },
    { text: 'Sessions', run: () => console.go('sessions', '', { tenant: slug }) },
    { text: 'Service accounts', run: () => console.go('services', '', { tenant: slug }) },
  ];
  if (!mayChange || tenant.id === rights.me.tenant_id) return looks;
  return [
    ...looks,
    {
      text: registers ? 'Close registration …' : 'Open registration …',
      run: () => begin(changeTenant(tenant, { allow_registration: !registers })),
    },
    {
      text: guests ? 'Send guests away …' : 'Let guests in …',
      bad: guests,
      run: () => begin(changeTenant(tenant, { allow_guests: !guests })),
    },
    ...(tenant.state === 'active'
      ? [
          {
            text: 'Disable …',
            bad: true,
            run: () => begin(changeTenant(tenant, { state: 'disabled' })),
          },
        ]
      : [
          { text: 'Enable …', run: () => begin(changeTenant(tenant, { state: 'active' })) },
          { text: 'Erase …', bad: true, run: () => begin(eraseTenant(tenant)) },
        ]),
  ];
}
