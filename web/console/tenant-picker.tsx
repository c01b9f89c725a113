/** Operators choose a tenant; an admin has one. */
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Select } from '../kit/data/select.js';
import { type TenantView, tenantsOf } from '../model/console/pages/people.js';
import type { PageProps } from './page-props.js';

/** The tenant of the page: that of the URL, else one's own. */
export const tenantOf = ({ rights, place }: Pick<PageProps, 'rights' | 'place'>): string =>
  rights.ofInstallation
    ? (place.fields['tenant'] ?? lastChosen.value ?? rights.me.tenant.slug)
    : rights.me.tenant.slug;
/** It stays on the way from page to page. */
const lastChosen = signal<string | null>(null);

/** `notOwn`: the tenant of the operators has no such thing, so another one is shown at first. */
export function TenantPicker({
  console,
  rights,
  place,
  notOwn = false,
}: PageProps & { notOwn?: boolean }) {
  const tenants = useSignal<readonly TenantView[]>([]);
  useEffect(() => {
    if (rights.ofInstallation)
      tenantsOf(console.caller).then(
        (items) => {
          tenants.value = items;
          const own = rights.me.tenant.slug;
          const other = items.find(({ slug }) => slug !== own);
          if (notOwn && other !== undefined && tenantOf({ rights, place }) === own)
            choose(other.slug);
        },
        () => undefined,
      );
  }, [console, rights]);
  const named = place.fields['tenant'];
  useEffect(() => {
    if (named !== undefined) lastChosen.value = named;
  }, [named]);
  const choose = (tenant: string) => {
    console.filter({ ...place.fields, tenant });
  };
  if (!rights.ofInstallation) return null;
  const chosen = tenantOf({ rights, place });
  const slugs = new Set([chosen, ...tenants.value.map(({ slug }) => slug)]);
  return (
    <Select
      label="Tenant"
      value={chosen}
      options={[...slugs].sort().map((slug) => [slug, slug] as const)}
      onChange={choose}
    />
  );
}
