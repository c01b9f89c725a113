/**
 * The roles of users, and the tenant of those who look after the installation. An operator
 * administers it, an auditor reads and changes nothing. Other roles do not exist there: nobody is
 * registered or exchanged into it.
 */
export const PERSON_ROLES = ['member', 'admin', 'operator', 'auditor'] as const;
/** `service`: no person, an account of a backend (auth/service). */
export const USER_ROLES = [...PERSON_ROLES, 'service'] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** Roles of tenant `system` only. Their users have no rooms. */
export type SystemRole = Extract<UserRole, 'operator' | 'auditor'>;
export const isSystemRole = (role: string): role is SystemRole =>
  role === 'operator' || role === 'auditor';

export const SYSTEM_TENANT = { slug: 'system', name: 'System' };

export const isSystemTenant = ({ slug }: { slug: string }): boolean => slug === SYSTEM_TENANT.slug;

/**
 * The role as it counts. A role that was given in tenant `system`, before that was refused, gives
 * no power over anybody; nor does an auditor's in another tenant.
 */
export function rankOf<Role extends string>(role: Role, tenant: { slug: string }): Role | 'member' {
  const isElsewhere = isSystemTenant(tenant) ? role === 'admin' : role === 'auditor';
  return isElsewhere ? 'member' : role;
}
