/** Service accounts of a tenant, and their keys. */
import type { ServiceAccount } from '../../../../src/admin/service/service-account.schema.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { inSentence, plural, shortId } from '../words.js';

export type { ServiceAccount };
type Scope = ServiceAccount['scopes'][number];

/** In words; the compiler misses none. */
export const SCOPES: Readonly<Record<Scope, string>> = {
  rooms: 'make and change rooms',
  members: 'add and change members',
  messages: 'read and write messages',
  users: 'create and change users',
  sessions: 'open sessions for users',
  revoke: 'end sessions of users',
  webhooks: 'webhooks',
  act_as: 'act as a user in rooms',
};

const base = (tenant: string) => `/v1/admin/tenants/${encodeURIComponent(tenant)}/service-accounts`;

export const createAccount = (tenant: string, name: string, scopes: readonly string[]): Deed => ({
  title: `Create the service account ${inSentence(name)}`,
  effects: [`Scopes: ${scopes.join(', ')}. It gets its keys afterwards.`],
  undo: null,
  button: 'Create',
  reason: 'none',
  destructive: false,
  asks: () => [
    {
      method: 'POST',
      path: base(tenant),
      body: { name, scopes },
      label: `create ${inSentence(name)}`,
    },
  ],
  cli: () => [],
});

export function changeAccount(
  tenant: string,
  { id, name, keys }: ServiceAccount,
  state: 'active' | 'suspended',
): Deed {
  const stops = state === 'suspended';
  return {
    title: stops ? `Suspend ${inSentence(name)}` : `Let ${inSentence(name)} in again`,
    effects: [
      stops
        ? `Its ${plural(keys.length, 'key')} and all that came from them end on every node.`
        : 'It needs new keys: those that ended do not come back.',
    ],
    undo: stops ? NOT_UNDONE : null,
    button: stops ? 'Suspend' : 'Let in again',
    reason: 'none',
    destructive: stops,
    asks: () => [
      {
        method: 'PATCH',
        path: `${base(tenant)}/${id}`,
        body: { state },
        receipt: true,
        label: `${stops ? 'suspend' : 'let in'} ${inSentence(name)}`,
      },
    ],
    cli: () => [],
  };
}

export const createKey = (tenant: string, { id, name }: ServiceAccount): Deed => ({
  title: `A new key for ${inSentence(name)}`,
  effects: ['It is good for a year, and shown once: keep it where only the backend reads it.'],
  undo: null,
  button: 'Make a key',
  reason: 'none',
  destructive: false,
  asks: () => [
    {
      method: 'POST',
      path: `${base(tenant)}/${id}/keys`,
      body: {},
      label: `new key for ${inSentence(name)}`,
    },
  ],
  cli: () => [],
  shown: ([answer]) => (answer as { key?: string } | undefined)?.key ?? null,
});

export const endKey = (tenant: string, { id, name }: ServiceAccount, key: string): Deed => ({
  title: `End a key of ${inSentence(name)}`,
  effects: [
    `The key ${shortId(key)} ends on every node, with every token and connection that came from it.`,
  ],
  undo: NOT_UNDONE,
  button: 'End the key',
  reason: 'none',
  destructive: true,
  asks: () => [
    {
      method: 'DELETE',
      path: `${base(tenant)}/${id}/keys/${key}`,
      receipt: true,
      label: `end key ${shortId(key)}`,
    },
  ],
  cli: () => [],
});
