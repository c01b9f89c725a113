/** People of a tenant. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Select } from '../../kit/data/select.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import { tellFound } from '../../model/console/announced.js';
import {
  changeRole,
  createUser,
  People,
  resetPassword,
  restore,
  rolesIn,
  suspend,
  type UserView,
} from '../../model/console/pages/people.js';
import { countLive, endAllOf } from '../../model/console/pages/sessions.js';
import { hashOf } from '../../model/console/place.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { type RowDeed, RowDialog } from '../row-dialog.js';
import { tenantOf, TenantPicker } from '../tenant-picker.js';

export function PeoplePage(props: PageProps) {
  const { console, rights } = props;
  const people = useMemo(() => new People(console.caller), [console]);
  const tenant = tenantOf(props);
  const isCreating = useSignal(false);
  const opened = useSignal<UserView | null>(null);
  useEffect(() => tellFound(console.said, people.pager, 'user'), [console, people]);
  useEffect(() => void people.open(tenant), [people, tenant]);
  const again = (): unknown => people.pager.again();
  const rows = people.shown.value;
  const { state, trouble } = people.pager;
  const mayChange = rights.may(
    'change_user',
    rights.ofInstallation ? { tenantId: null } : undefined,
  );
  const isSystem = rights.ofInstallation && tenant === rights.me.tenant.slug;
  const path = `/v1/admin/tenants/${encodeURIComponent(tenant)}/users`;

  const columns: Column<UserView>[] = [
    {
      title: 'E-mail',
      wide: true,
      cell: ({ email, id }) => (
        <a
          href={hashOf({ page: 'sessions', fields: { user: id, state: 'all' } })}
          tabIndex={-1}
          title={`Sessions of ${email}`}
        >
          {email}
        </a>
      ),
    },
    { title: 'Name', from: 'm', cell: ({ name }) => <span title={name}>{name}</span> },
    { title: 'Role', cell: ({ role }) => role },
    {
      title: 'State',
      cell: ({ state: of }) => <Badge tone={of === 'active' ? 'plain' : 'bad'} text={of} />,
    },
    { title: 'Created', from: 'l', cell: ({ created_at: at }) => <Moment at={at} /> },
    { title: 'User', from: 'l', cell: ({ id }) => <Id id={id} of="user" tabIndex={-1} /> },
  ];

  return (
    <section class="pane" aria-label="People">
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <TenantPicker {...props} />
        <div class="grow">
          <Field
            label="Find among those that were read"
            type="search"
            value={people.typed.value}
            onInput={(text) => (people.typed.value = text)}
            placeholder="e-mail, name or id"
          />
        </div>
        {mayChange ? (
          <Button look="accent" onClick={() => (isCreating.value = !isCreating.value)}>
            New person …
          </Button>
        ) : null}
      </form>
      {isCreating.value ? (
        <NewPersonForm
          {...props}
          tenant={tenant}
          done={() => {
            isCreating.value = false;
            again();
          }}
        />
      ) : null}
      <div class="toolbar">
        {mayChange && !isSystem ? (
          <a href={hashOf({ page: 'invites', fields: { tenant } })}>Invite by a link</a>
        ) : null}
        <span class="grow" />
        <CopyAs
          console={console}
          asks={[{ method: 'GET', path }]}
          cli={`npx wardroom users --tenant ${tenant}`}
        />
      </div>
      <TroubleLine trouble={trouble.value} again={again} />
      {rows.length === 0 &&
      (state.value === 'whole' || state.value === 'more') &&
      trouble.value === null ? (
        <p class="empty">
          {people.typed.value === ''
            ? 'Nobody yet. “New person” makes the first.'
            : 'Nobody of those that were read is like that; scroll through all, or look in Sessions.'}
        </p>
      ) : (
        <Table
          label="People"
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
          onOpen={(user) => (opened.value = user)}
          onMore={() => void people.pager.more()}
          foot={footOf(state.value, people.pager.items.value.length, 'person').replace(
            'persons',
            'people',
          )}
        />
      )}
      {opened.value === null ? null : (
        <RowDialog
          title={opened.value.email}
          rows={rowsOf(opened.value)}
          deeds={deedsOf(props, opened.value, mayChange, again)}
          onClose={() => (opened.value = null)}
        />
      )}
    </section>
  );
}

const rowsOf = ({ name, role, state, created_at: at, id }: UserView) => [
  { name: 'name', value: name },
  { name: 'role', value: role },
  { name: 'state', value: state },
  { name: 'created', value: <Moment at={at} /> },
  { name: 'user', value: <Id id={id} of="user" /> },
];

/** Nobody suspends, promotes or resets themselves: the server would refuse. */
function deedsOf(
  { console, rights }: PageProps,
  user: UserView,
  mayChange: boolean,
  again: () => void,
): RowDeed[] {
  const isSystem = user.role === 'operator' || user.role === 'auditor';
  const isSelf = user.id === rights.me.user_id;
  const who = { id: user.id, text: user.email };
  const begin = (deed: Parameters<typeof console.begin>[0]) => console.begin(deed, again);
  const looks = [
    {
      text: 'Sessions',
      run: () => console.go('sessions', '', { user: user.id, state: 'all' }),
    },
    { text: 'Audit', run: () => console.go('audit', '', { user: user.id }) },
    ...(isSystem ? [] : [{ text: 'Try as', run: () => console.go('try-as', user.id) }]),
  ];
  if (!mayChange) return looks;
  const endAll = {
    text: 'End all sessions …',
    bad: true,
    run: async () =>
      begin(endAllOf(who, await countLive(console.caller, { user: user.id }), isSelf)),
  };
  if (isSelf) return [...looks, endAll];
  return [
    ...looks,
    ...rolesIn(isSystem)
      .filter((role) => role !== user.role)
      .map((role) => ({ text: `Make ${role} …`, run: () => begin(changeRole(user, role)) })),
    { text: 'Link for a new password …', run: () => begin(resetPassword(user)) },
    endAll,
    user.state === 'active'
      ? { text: 'Suspend …', bad: true, run: () => begin(suspend(user)) }
      : { text: 'Let in again …', run: () => begin(restore(user)) },
  ];
}

function NewPersonForm({
  console,
  tenant,
  rights,
  done,
}: PageProps & { tenant: string; done: () => void }) {
  const isSystem = rights.ofInstallation && tenant === rights.me.tenant.slug;
  const roles = rolesIn(isSystem);
  const email = useSignal('');
  const name = useSignal('');
  const password = useSignal('');
  const role = useSignal<string>(roles[0]!);
  return (
    <form
      class="filters"
      aria-label="New person"
      onSubmit={(event) => {
        event.preventDefault();
        const person = {
          email: email.value,
          name: name.value,
          password: password.value,
          role: role.value,
        };
        console.begin(createUser(tenant, person), done);
      }}
    >
      <div class="more">
        <Field
          label="E-mail"
          type="email"
          value={email.value}
          onInput={(v) => (email.value = v)}
          required
        />
        <Field label="Name" value={name.value} onInput={(v) => (name.value = v)} required />
        <Field
          label="First password"
          type="password"
          autocomplete="new-password"
          value={password.value}
          onInput={(v) => (password.value = v)}
          required
        />
        <Select
          label="Role"
          value={role.value}
          options={roles.map((each) => [each, each] as const)}
          onChange={(v) => (role.value = v)}
        />
        <Button submit>Create …</Button>
      </div>
    </form>
  );
}
