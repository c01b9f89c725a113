/**
 * The people of a tenant see each other and change what they show of themselves. Guests are
 * strangers; operators and auditors are no people of any tenant. A ladder like decide-room.ts.
 */
import { isSystemRole } from '../platform/stores/system-tenant.js';
import type { Deny } from './decide-room.js';
import type { UserFacts } from './facts.js';

export type PeopleAction = 'read_people' | 'change_profile';

export function decidePeople(
  { role }: Pick<UserFacts, 'role'>,
  action: PeopleAction,
): { readonly allow: true; readonly rule: string } | Deny {
  if (role === 'guest')
    return {
      allow: false,
      rule: 'people.1_guest',
      code: action === 'read_people' ? 'role_required' : 'guest_read_only',
    };
  if (isSystemRole(role))
    return { allow: false, rule: 'people.2_operators_stay_apart', code: 'role_required' };
  return { allow: true, rule: 'people.3_user' };
}
