/** Invitations into a tenant. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Select } from '../../kit/data/select.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import {
  createInvite,
  faultOf,
  forText,
  type Invite,
  invitesPath,
  LIFE,
  LIVES,
  usedText,
  withdrawInvite,
} from '../../model/console/pages/invites.js';
import { tellFound } from '../../model/console/announced.js';
import { Pager } from '../../model/console/pager.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { tenantOf, TenantPicker } from '../tenant-picker.js';

export function InvitesPage(props: PageProps) {
  const { console, rights } = props;
  const tenant = tenantOf(props);
  const path = invitesPath(tenant);
  const pager = useMemo(() => new Pager<Invite>(console.caller, () => path, null), [console, path]);
  useEffect(() => tellFound(console.said, pager, 'invitation'), [console, pager]);
  useEffect(() => void pager.open({}), [pager]);
  const again = (): unknown => pager.again();
  const isSystem = rights.ofInstallation && tenant === rights.me.tenant.slug;
  const mayChange =
    !isSystem &&
    rights.may('change_invites', rights.ofInstallation ? { tenantId: null } : undefined);
  const rows = pager.items.value;
  const columns: Column<Invite>[] = [
    { title: 'For', wide: true, cell: (invite) => forText(invite) },
    { title: 'Used', cell: usedText },
    { title: 'Made', from: 'm', cell: ({ created_at: at }) => <Moment at={at} /> },
    { title: 'Ends', cell: ({ expires_at: at }) => <Moment at={at} /> },
    {
      title: 'By',
      from: 'l',
      cell: ({ created_by: id }) => <Id id={id} of="user" tabIndex={-1} />,
    },
    ...(mayChange
      ? [
          {
            title: 'Do',
            cell: (invite: Invite) => (
              <Button
                look="quiet"
                onClick={() => console.begin(withdrawInvite(tenant, invite), again)}
              >
                Withdraw …
              </Button>
            ),
          },
        ]
      : []),
  ];
  const isEmpty = pager.state.value === 'whole' && rows.length === 0;
  return (
    <section class="pane" aria-label="Invitations">
      <div class="filters">
        <TenantPicker {...props} notOwn />
        <span class="grow" />
        <CopyAs
          console={console}
          asks={[{ method: 'GET', path }]}
          cli={`npx wardroom invites --tenant ${tenant}`}
        />
      </div>
      {mayChange ? <NewInvite {...props} tenant={tenant} again={again} /> : null}
      <TroubleLine trouble={pager.trouble.value} again={again} />
      {isEmpty ? (
        <p class="empty">
          {isSystem
            ? 'Nobody registers among the operators: choose the tenant, or make a person in People.'
            : 'No invitation is alive.'}
        </p>
      ) : (
        <Table
          label="Invitations"
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
          foot={footOf(pager.state.value, rows.length, 'invitation')}
        />
      )}
    </section>
  );
}

function NewInvite({ console, tenant, again }: PageProps & { tenant: string; again: () => void }) {
  const email = useSignal('');
  const uses = useSignal('');
  const seconds = useSignal(LIFE);
  const fault = useSignal<string | null>(null);
  return (
    <form
      class="filters"
      aria-label="New invitation"
      onSubmit={(event) => {
        event.preventDefault();
        const invite = {
          email: email.value.trim(),
          uses: uses.value.trim(),
          seconds: seconds.value,
        };
        fault.value = faultOf(invite);
        if (fault.value !== null) return;
        console.begin(createInvite(tenant, invite), () => {
          email.value = '';
          uses.value = '';
          again();
        });
      }}
    >
      <div class="grow">
        <Field
          label="Invite this address (empty: anybody with the link)"
          value={email.value}
          onInput={(text) => (email.value = text)}
          placeholder="e-mail"
        />
      </div>
      {email.value.trim() === '' ? (
        <Field
          label="How often"
          value={uses.value}
          onInput={(text) => (uses.value = text)}
          placeholder="no limit"
        />
      ) : null}
      <Select
        label="Good for"
        value={seconds.value}
        options={LIVES}
        onChange={(value) => (seconds.value = value)}
      />
      <Button look="accent" submit>
        Invite …
      </Button>
      <ErrorLine text={fault.value} />
    </form>
  );
}
