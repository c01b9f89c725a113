/** Links by which people register in a tenant: made, listed and withdrawn. */
import type { TenantInvites } from '../../../../src/admin/invites/tenant-invite.schema.js';
import type { Deed } from '../deed.js';
import { cliOf } from '../rest.js';
import { inSentence, plural } from '../words.js';

export type Invite = TenantInvites['items'][number];

export const invitesPath = (tenant: string): string =>
  `/v1/admin/tenants/${encodeURIComponent(tenant)}/invites`;

/** Seconds, by the words of the choice. */
export const LIVES: readonly (readonly [value: string, text: string])[] = [
  ['86400', 'a day'],
  ['604800', 'a week'],
  ['2592000', '30 days'],
  ['7776000', '90 days'],
];
export const LIFE = '604800';

export interface NewInvite {
  /** Empty: for anybody who has the link. */
  readonly email: string;
  /** Empty: no limit; for an address always once. */
  readonly uses: string;
  readonly seconds: string;
}

export const forText = ({ email }: Pick<Invite, 'email'>): string =>
  email ?? 'anybody with the link';

export const usedText = ({ uses, max_uses: max }: Invite): string =>
  max === null ? `${uses}, no limit` : `${uses} of ${max}`;

/** Why it cannot be made, or null. */
export function faultOf({ email, uses }: NewInvite): string | null {
  const count = Number(uses);
  if (email === '' && uses !== '' && !(Number.isInteger(count) && count > 0))
    return 'How often it may be used is a whole number, or empty for no limit.';
  return null;
}

export function createInvite(tenant: string, { email, uses, seconds }: NewInvite): Deed {
  const life = LIVES.find(([value]) => value === seconds)?.[1] ?? `${seconds} s`;
  const body = {
    ...(email === '' ? (uses === '' ? {} : { max_uses: Number(uses) }) : { email }),
    expires_in: Number(seconds),
  };
  return {
    title: email === '' ? `Invite people into ${tenant}` : `Invite ${inSentence(email)}`,
    effects: [
      email === ''
        ? `Anybody who has the link can register in ${tenant}, ${
            uses === '' ? 'without a limit' : plural(Number(uses), 'time')
          }, for ${life}.`
        : `The link lets this address register in ${tenant}, once, for ${life}. It is mailed there when the server sends mails.`,
      'The link is shown once. It counts also where registration is closed.',
    ],
    undo: 'It can be withdrawn while it is alive; whoever came in by it stays.',
    button: 'Make the link',
    reason: 'none',
    destructive: false,
    asks: () => [{ method: 'POST', path: invitesPath(tenant), body, label: 'make the invitation' }],
    cli: () => [
      cliOf(['invites', 'create'], {
        tenant,
        email,
        ...(email === '' ? { uses } : {}),
        seconds,
      }),
    ],
    shown: ([answer]) => (answer as { url?: string } | undefined)?.url ?? null,
  };
}

export const withdrawInvite = (tenant: string, invite: Invite): Deed => ({
  title: `Withdraw the invitation for ${inSentence(forText(invite))}`,
  effects: [
    'The link lets nobody in from now on.',
    invite.uses === 0
      ? 'Nobody has used it.'
      : `${plural(invite.uses, 'person')} came in by it and stay${invite.uses === 1 ? 's' : ''}.`,
  ],
  undo: 'This cannot be undone, but another link can be made.',
  button: 'Withdraw the link',
  reason: 'none',
  destructive: true,
  asks: () => [
    {
      method: 'DELETE',
      path: `${invitesPath(tenant)}/${invite.id}`,
      label: 'withdraw the invitation',
    },
  ],
  cli: () => [cliOf(['invites', 'withdraw', invite.id], { tenant })],
});
