/**
 * The tenant of the operators. Other roles do not exist there: nobody is made, promoted, registered
 * or exchanged into it.
 */
export const SYSTEM_TENANT = { slug: 'system', name: 'System' };

export const isSystemTenant = ({ slug }: { slug: string }): boolean => slug === SYSTEM_TENANT.slug;

/**
 * The role as it counts. A role that was given in tenant `system`, before that was refused, gives
 * no power over anybody.
 */
export const rankOf = <Role extends string>(
  role: Role,
  tenant: { slug: string },
): Role | 'member' => (role === 'admin' && isSystemTenant(tenant) ? 'member' : role);
