/** The people of a tenant (contract section 8). */
import { expect, test } from '@jest/globals';
import { decidePeople } from '../../../src/policy/decide-people.js';

test.each([
  ['member', 'read_people', 'people.3_user'],
  ['member', 'change_profile', 'people.3_user'],
  ['admin', 'read_people', 'people.3_user'],
  ['admin', 'change_profile', 'people.3_user'],
] as const)('a user of a tenant may: %s, %s', (role, action, rule) => {
  expect(decidePeople({ role }, action)).toEqual({ allow: true, rule });
});

test.each([
  ['guest', 'read_people', 'people.1_guest', 'role_required'],
  ['guest', 'change_profile', 'people.1_guest', 'guest_read_only'],
  ['operator', 'read_people', 'people.2_operators_stay_apart', 'role_required'],
  ['operator', 'change_profile', 'people.2_operators_stay_apart', 'role_required'],
  ['auditor', 'read_people', 'people.2_operators_stay_apart', 'role_required'],
  ['auditor', 'change_profile', 'people.2_operators_stay_apart', 'role_required'],
] as const)('nobody else does: %s, %s', (role, action, rule, code) => {
  expect(decidePeople({ role }, action)).toEqual({ allow: false, rule, code });
});
