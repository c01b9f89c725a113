/** People of a tenant: who they are, and what an operator or admin does with them. */
import { computed, signal } from '@preact/signals';
import type { TenantView } from '../../../../src/admin/tenants/tenant.schema.js';
import type { UserView } from '../../../../src/admin/users/user.schema.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { Pager } from '../pager.js';
import { get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { plain } from '../words.js';

export type { TenantView, UserView };

/** The list has no search: what was read is searched here. */
export class People {
  readonly pager: Pager<UserView>;
  readonly typed = signal('');
  readonly shown = computed(() => {
    const text = this.typed.value.trim().toLowerCase();
    return this.pager.items.value.filter(
      ({ email, name, id }) =>
        email.toLowerCase().includes(text) || name.toLowerCase().includes(text) || id === text,
    );
  });
  #tenant = '';

  constructor(caller: Caller) {
    this.pager = new Pager(
      caller,
      () => `/v1/admin/tenants/${encodeURIComponent(this.#tenant)}/users`,
      200,
    );
  }

  open(tenant: string): Promise<void> {
    this.#tenant = tenant;
    return this.pager.open({});
  }
}

const TENANTS_MAX = 200;

/** For a choice of one: the first 200. */
export async function tenantsOf(caller: Caller): Promise<TenantView[]> {
  const { items } = await send<{ items: TenantView[] }>(
    caller,
    get('/v1/admin/tenants', { limit: TENANTS_MAX }),
  );
  return items;
}

const change = (
  { id, email }: Pick<UserView, 'id' | 'email'>,
  body: Record<string, string>,
  label: string,
): Deed['asks'] => {
  return () => [
    {
      method: 'PATCH',
      path: `/v1/admin/users/${id}`,
      body,
      receipt: true,
      label: `${label} ${email}`,
    },
  ];
};

export const suspend = (user: Pick<UserView, 'id' | 'email'>): Deed => ({
  title: `Suspend ${user.email}`,
  effects: ['All sessions and connections end on every node, and they cannot sign in.'],
  undo: 'They can be let in again; the sessions that end do not come back.',
  button: 'Suspend',
  reason: 'none',
  destructive: true,
  asks: change(user, { state: 'suspended' }, 'suspend'),
  cli: () => [],
});

export const restore = (user: UserView): Deed => ({
  title: `Let ${user.email} in again`,
  effects: ['They can sign in, with the roles and rooms that they had.'],
  undo: null,
  button: 'Let in again',
  reason: 'none',
  destructive: false,
  asks: change(user, { state: 'active' }, 'let in'),
  cli: () => [],
});

export const changeRole = (user: UserView, role: UserView['role']): Deed => ({
  title: `Make ${user.email} ${role}`,
  effects: [`The role changes from ${user.role} to ${role}, in living connections, too.`],
  undo: null,
  button: `Make ${role}`,
  reason: 'none',
  destructive: false,
  asks: change(user, { role }, `make ${role}`),
  cli: () => [],
});

export const resetPassword = (user: UserView): Deed => ({
  title: `A link for a new password of ${user.email}`,
  effects: [
    'The link works once, for 30 minutes. Hand it to the person by a way you trust.',
    'The password stays as it is until the link is used; then all sessions end.',
  ],
  undo: null,
  button: 'Make a link',
  reason: 'none',
  destructive: false,
  asks: () => [
    {
      method: 'POST',
      path: `/v1/admin/users/${user.id}/password-reset`,
      body: {},
      label: 'make a link',
    },
  ],
  cli: () => [`npx wardroom users reset-password ${user.id}`],
  shown: ([answer]) => (answer as { url?: string } | undefined)?.url ?? null,
});

export interface NewPerson {
  email: string;
  name: string;
  password: string;
  role: string;
}

/** The password is never part of what can be copied. */
export const createUser = (tenant: string, person: NewPerson): Deed => ({
  title: `Create ${person.email}`,
  effects: [`A ${person.role} of this tenant. The password is theirs to change.`],
  undo: null,
  button: 'Create',
  reason: 'none',
  destructive: false,
  asks: () => [
    {
      method: 'POST',
      path: `/v1/admin/tenants/${tenant}/users`,
      body: { ...person },
      label: `create ${person.email}`,
      hidden: ['password'],
    },
  ],
  cli: () => [],
});

/** Roles that a person of this tenant may have. */
export const rolesIn = (isSystem: boolean): readonly UserView['role'][] =>
  isSystem ? ['operator', 'auditor'] : ['member', 'admin'];

export const createTenant = (slug: string, name: string): Deed => ({
  title: `Create the tenant ${slug}`,
  effects: ['It begins empty, without registration and without guests.'],
  undo: 'A tenant is erased once it is disabled.',
  button: 'Create',
  reason: 'none',
  destructive: false,
  asks: () => [
    { method: 'POST', path: '/v1/admin/tenants', body: { slug, name }, label: `create ${slug}` },
  ],
  cli: () => [],
});

export function changeTenant(
  tenant: TenantView,
  body: Partial<
    Pick<TenantView, 'state' | 'allow_registration' | 'allow_guests' | 'access_ttl_seconds'>
  >,
): Deed {
  const stops = body.state === 'disabled';
  const endsGuests = body.allow_guests === false;
  return {
    title: `Change the tenant ${tenant.slug}`,
    effects: Object.entries(body).map(([name, value]) => TENANT_WORDS[name]!(value)),
    undo: stops
      ? 'It can be enabled again; the sessions that end do not come back.'
      : endsGuests
        ? NOT_UNDONE
        : null,
    button: stops ? 'Disable the tenant' : 'Change',
    reason: 'none',
    destructive: stops || endsGuests,
    asks: () => [
      {
        method: 'PATCH',
        path: `/v1/admin/tenants/${tenant.id}`,
        body,
        receipt: true,
        label: `change ${tenant.slug}`,
      },
    ],
    cli: () => [],
  };
}

const TENANT_WORDS: Readonly<Record<string, (value: unknown) => string>> = {
  state: (value) =>
    value === 'disabled'
      ? 'All sessions and connections of all its people end on every node, and nobody signs in.'
      : 'Its people can sign in again.',
  allow_registration: (value) =>
    value === true ? 'Anybody may register.' : 'Nobody registers any more, except by invitation.',
  allow_guests: (value) =>
    value === true
      ? 'Anybody may look into public rooms as a guest.'
      : 'No more guests; the sessions of guests end on every node.',
  access_ttl_seconds: (value) =>
    value === null
      ? 'Access tokens live as long as the node says.'
      : `New access tokens live ${plain(value)} s.`,
};

export const eraseTenant = (tenant: TenantView): Deed => ({
  title: `Erase the tenant ${tenant.slug}`,
  effects: ['All its people, rooms and messages are deleted, in batches. Its audit stays.'],
  undo: NOT_UNDONE,
  button: 'Erase everything',
  reason: 'none',
  destructive: true,
  asks: () => [
    { method: 'DELETE', path: `/v1/admin/tenants/${tenant.id}`, label: `erase ${tenant.slug}` },
  ],
  cli: () => [],
});
