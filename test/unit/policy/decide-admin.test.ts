/** Rights of administration (contract section 2). */
import { describe, expect, test } from '@jest/globals';
import { decideAdmin } from '../../../src/policy/decide-admin.js';
import type { AdminAction, AdminCaller, AdminTarget } from '../../../src/policy/decide-admin.js';

const caller = (role: AdminCaller['role'], active = true): AdminCaller => ({
  userId: 'me',
  tenantId: 'mine',
  role,
  active,
});
const OWN: AdminTarget = { tenantId: 'mine' };
const OTHER: AdminTarget = { tenantId: 'other' };
const EVERYTHING: AdminTarget = { tenantId: null };

const IN_TENANT: AdminAction[] = [
  'list_users',
  'create_user',
  'change_user',
  'list_invites',
  'change_invites',
  'reset_password',
  'list_sessions',
  'revoke_sessions',
  'list_connections',
  'read_connection',
  'list_service_accounts',
  'change_service_accounts',
  'read_decision',
  'read_close',
  'read_audit',
  'introspect',
  'explain',
];
const OPERATORS: AdminAction[] = [
  'list_tenants',
  'create_tenant',
  'change_tenant',
  'erase_tenant',
  'withdraw_key',
  'read_keys',
  'list_nodes',
  'close_connection',
  'inspect_token',
  'read_config',
  'export_audit',
  'read_stats',
  'read_review',
  'sign_review',
];
/** Of both lists; an auditor is refused all others. */
const READS: AdminAction[] = [
  'list_users',
  'list_invites',
  'list_sessions',
  'list_connections',
  'read_connection',
  'list_service_accounts',
  'inspect_token',
  'read_config',
  'export_audit',
  'read_decision',
  'read_close',
  'read_audit',
  'introspect',
  'explain',
  'list_tenants',
  'read_keys',
  'list_nodes',
  'read_stats',
  'read_review',
];

const ask = (who: AdminCaller, action: AdminAction, target: AdminTarget): string => {
  const decision = decideAdmin(who, action, target);
  expect(decision.rule).toMatch(/^[a-z_]+\.\d+_[a-z_]+$/);
  return decision.allow ? 'allowed' : decision.code;
};

describe('decideAdmin', () => {
  test.each([...IN_TENANT, ...OPERATORS])('lets operators do it everywhere: %s', (action) => {
    for (const target of [OTHER, EVERYTHING])
      expect(ask(caller('operator'), action, target)).toBe('allowed');
    expect(ask(caller('operator'), action, OWN)).toBe(
      ['create_user', 'erase_tenant', 'change_invites'].includes(action)
        ? 'role_required'
        : 'allowed',
    );
  });

  test.each(IN_TENANT)('lets admins do it in their tenant, and hides the others: %s', (action) => {
    expect(ask(caller('admin'), action, OWN)).toBe('allowed');
    for (const target of [OTHER, EVERYTHING])
      expect(ask(caller('admin'), action, target)).toBe('not_found');
  });

  test.each(OPERATORS)('is for operators only: %s', (action) => {
    for (const target of [OWN, OTHER, EVERYTHING])
      expect(ask(caller('admin'), action, target)).toBe('role_required');
  });

  test.each([...IN_TENANT, ...OPERATORS])(
    'lets auditors read everywhere and change nothing: %s',
    (action) => {
      for (const target of [OWN, OTHER, EVERYTHING])
        expect(ask(caller('auditor'), action, target)).toBe(
          READS.includes(action) ? 'allowed' : 'role_required',
        );
      expect(ask(caller('auditor', false), action, OTHER)).toBe('role_required');
    },
  );

  test.each([...IN_TENANT, ...OPERATORS])('refuses everybody else: %s', (action) => {
    for (const who of [
      caller('member'),
      caller('guest'),
      caller('operator', false),
      caller('admin', false),
    ]) {
      for (const target of [OWN, OTHER, EVERYTHING])
        expect(ask(who, action, target)).toBe('role_required');
    }
  });

  test.each(IN_TENANT)('puts operators above the admins of their tenant: %s', (action) => {
    expect(ask(caller('admin'), action, { ...OWN, userId: 'boss', userRole: 'operator' })).toBe(
      'role_required',
    );
    expect(
      ask(caller('operator'), 'change_user', {
        ...OWN,
        userId: 'boss',
        userRole: 'operator',
        stops: true,
      }),
    ).toBe('allowed');
  });

  test('lets nobody suspend themselves, and no operator give up the role', () => {
    for (const role of ['operator', 'admin'] as const) {
      expect(
        ask(caller(role), 'change_user', { ...OWN, userId: 'me', userRole: role, stops: true }),
      ).toBe('role_required');
      expect(ask(caller(role), 'change_user', { ...OWN, userId: 'me', userRole: role })).toBe(
        'allowed',
      );
    }
    expect(
      ask(caller('operator'), 'change_user', {
        ...OWN,
        userId: 'me',
        userRole: 'operator',
        newRole: 'member',
      }),
    ).toBe('role_required');
    expect(
      ask(caller('admin'), 'change_user', {
        ...OWN,
        userId: 'me',
        userRole: 'admin',
        newRole: 'member',
      }),
    ).toBe('allowed');
  });

  test.each(['operator', 'auditor'] as const)(
    'gives the role %s in the tenant of the operators only',
    (newRole) => {
      const boss = { ...OWN, userId: 'boss', userRole: 'operator' } as const;
      for (const [who, target, answer] of [
        ['operator', OWN, 'allowed'],
        ['operator', OTHER, 'role_required'],
        ['admin', OWN, 'role_required'],
      ] as const) {
        expect(ask(caller(who), 'create_user', { ...target, newRole })).toBe(answer);
        expect(ask(caller(who), 'change_user', { ...target, userId: 'ada', newRole })).toBe(answer);
      }
      expect(ask(caller('operator'), 'change_user', { ...boss, newRole })).toBe('allowed');
      expect(ask(caller('operator'), 'change_user', { ...boss, userId: 'me', newRole })).toBe(
        'role_required',
      );
    },
  );

  test.each(['member', 'admin'] as const)('gives the role %s everywhere else', (newRole) => {
    for (const [who, target, answer] of [
      ['operator', OWN, 'role_required'],
      ['operator', OTHER, 'allowed'],
      ['admin', OWN, 'allowed'],
    ] as const) {
      expect(ask(caller(who), 'create_user', { ...target, newRole })).toBe(answer);
      expect(ask(caller(who), 'change_user', { ...target, userId: 'ada', newRole })).toBe(answer);
    }
  });

  test('keeps the tenant of the operators as it is: it is not renamed and not opened', () => {
    expect(ask(caller('operator'), 'change_tenant', { ...OWN, opens: true })).toBe('role_required');
    expect(ask(caller('operator'), 'change_tenant', { ...OTHER, opens: true })).toBe('allowed');
  });

  test('lets no operator disable the tenant of their own sign-in', () => {
    expect(ask(caller('operator'), 'change_tenant', { ...OWN, stops: true })).toBe('role_required');
    expect(ask(caller('operator'), 'change_tenant', { ...OTHER, stops: true })).toBe('allowed');
  });
});

test('a password is reset for others who have one', () => {
  for (const role of ['admin', 'operator'] as const) {
    expect(ask(caller(role), 'reset_password', { ...OWN, userId: 'me', userRole: role })).toBe(
      'role_required',
    );
    expect(ask(caller(role), 'reset_password', { ...OWN, userId: 'x', userRole: 'member' })).toBe(
      'allowed',
    );
    expect(ask(caller(role), 'reset_password', { ...OWN, userId: 'x', userRole: 'service' })).toBe(
      'role_required',
    );
  }
});
