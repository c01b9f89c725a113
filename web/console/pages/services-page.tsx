/** Service accounts of a tenant, and their keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Field } from '../../kit/inputs/field.js';
import { Pane } from '../../kit/pane.js';
import {
  changeAccount,
  createAccount,
  createKey,
  endKey,
  SCOPES,
  type ServiceAccount,
} from '../../model/console/pages/services.js';
import { tellFound } from '../../model/console/announced.js';
import { Pager } from '../../model/console/pager.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, TroubleLine } from '../parts.js';
import { tenantOf, TenantPicker } from '../tenant-picker.js';

export function ServicesPage(props: PageProps) {
  const { console, rights } = props;
  const tenant = tenantOf(props);
  const path = `/v1/admin/tenants/${encodeURIComponent(tenant)}/service-accounts`;
  const pager = useMemo(
    () => new Pager<ServiceAccount>(console.caller, () => path),
    [console, path],
  );
  useEffect(() => tellFound(console.said, pager, 'service account'), [console, pager]);
  useEffect(() => void pager.open({}), [pager]);
  const again = (): unknown => pager.again();
  const isSystem = rights.ofInstallation && tenant === rights.me.tenant.slug;
  const mayChange =
    !isSystem &&
    rights.may('change_service_accounts', rights.ofInstallation ? { tenantId: null } : undefined);
  return (
    <section class="stack" aria-label="Service accounts">
      <div class="pane">
        <div class="filters">
          <TenantPicker {...props} notOwn />
          <span class="grow" />
          <CopyAs console={console} asks={[{ method: 'GET', path }]} cli="" />
        </div>
        {mayChange ? <NewAccount {...props} tenant={tenant} again={again} /> : null}
        <TroubleLine trouble={pager.trouble.value} again={again} />
        {pager.state.value === 'whole' && pager.items.value.length === 0 ? (
          <p class="empty">
            {isSystem
              ? 'Operators have no service accounts: choose the tenant of the backend.'
              : 'No service account. A backend of yours needs one to act in this tenant.'}
          </p>
        ) : null}
      </div>
      {pager.items.value.map((account) => (
        <Account
          key={account.id}
          {...props}
          account={account}
          tenant={tenant}
          mayChange={mayChange}
          again={again}
        />
      ))}
    </section>
  );
}

function Account({
  console,
  account,
  tenant,
  mayChange,
  again,
}: PageProps & { account: ServiceAccount; tenant: string; mayChange: boolean; again: () => void }) {
  const { name, state, keys, scopes, id } = account;
  const isActive = state === 'active';
  return (
    <Pane
      label={`Service account ${name}`}
      title={
        <>
          {name} <Badge tone={isActive ? 'plain' : 'bad'} text={state} />
        </>
      }
      aside={
        mayChange ? (
          <>
            {isActive ? (
              <Button onClick={() => console.begin(createKey(tenant, account), again)}>
                New key …
              </Button>
            ) : null}
            <Button
              look={isActive ? 'bad' : 'plain'}
              onClick={() =>
                console.begin(
                  changeAccount(tenant, account, isActive ? 'suspended' : 'active'),
                  again,
                )
              }
            >
              {isActive ? 'Suspend …' : 'Let in again …'}
            </Button>
          </>
        ) : null
      }
    >
      <p class="meta">
        <span>
          account <Id id={id} of="service account" />
        </span>
        <span title={scopes.map((scope) => SCOPES[scope]).join(', ')}>
          may: {scopes.join(', ')}
        </span>
      </p>
      {keys.length === 0 ? (
        <p class="empty">No key is good.</p>
      ) : (
        <ul class="ended-list">
          {keys.map(({ key_id: key, created_at, expires_at, last_active_at }) => (
            <li key={key}>
              <Id id={key} of="key" /> made <Moment at={created_at} />, last used{' '}
              <Moment at={last_active_at} />, ends <Moment at={expires_at} />{' '}
              {mayChange ? (
                <Button
                  look="quiet"
                  onClick={() => console.begin(endKey(tenant, account, key), again)}
                >
                  End …
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </Pane>
  );
}

function NewAccount({ console, tenant, again }: PageProps & { tenant: string; again: () => void }) {
  const name = useSignal('');
  const scopes = useSignal<ReadonlySet<string>>(new Set(['rooms', 'members', 'messages']));
  const toggle = (scope: string) => {
    const next = new Set(scopes.value);
    if (!next.delete(scope)) next.add(scope);
    scopes.value = next;
  };
  return (
    <form
      class="filters"
      aria-label="New service account"
      onSubmit={(event) => {
        event.preventDefault();
        console.begin(createAccount(tenant, name.value, [...scopes.value]), again);
      }}
    >
      <div class="grow">
        <Field
          label="New service account"
          value={name.value}
          onInput={(v) => (name.value = v)}
          placeholder="billing backend"
          required
        />
      </div>
      <fieldset class="scopes">
        <legend>It may</legend>
        {Object.entries(SCOPES).map(([scope, words]) => (
          <label key={scope} title={words}>
            <input
              type="checkbox"
              checked={scopes.value.has(scope)}
              onChange={() => toggle(scope)}
            />{' '}
            {scope}
          </label>
        ))}
      </fieldset>
      <Button submit disabled={scopes.value.size === 0}>
        Create …
      </Button>
    </form>
  );
}
