/** Operators choose a tenant; an admin has one. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Select } from '../kit/data/select.js';
import { type TenantView, tenantsOf } from '../model/console/pages/people.js';
import type { PageProps } from './page-props.js';

/** The tenant of the page: that of the URL, else one's own. */
export const tenantOf = ({ rights, place }: Pick<PageProps, 'rights' | 'place'>): string =>
  rights.ofInstallation ? (place.fields['tenant'] ?? rights.me.tenant.slug) : rights.me.tenant.slug;

export function TenantPicker({ console, rights, place }: PageProps) {
  const tenants = useSignal<readonly TenantView[]>([]);
  useEffect(() => {
    if (rights.ofInstallation)
      tenantsOf(console.caller).then(
        (items) => (tenants.value = items),
        () => undefined,
      );
  }, [console, rights]);
  if (!rights.ofInstallation) return null;
  const chosen = tenantOf({ rights, place });
  const slugs = new Set([chosen, ...tenants.value.map(({ slug }) => slug)]);
  return (
    <Select
      label="Tenant"
      value={chosen}
      options={[...slugs].sort().map((slug) => [slug, slug] as const)}
      onChange={(tenant) => console.filter({ ...place.fields, tenant })}
    />
  );
}
