/** Signing keys: their age and state, and what withdrawing one ends. */
import type { KeyList } from '../../../../src/admin/revocations/admin-queries.schema.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { cliOf } from '../rest.js';

export type SigningKey = KeyList['items'][number];

/** No call makes a key: it is wrapped by SECRET_KEY, which stays with the nodes. */
export const ROTATE = 'npx wardroom keys rotate';

export const KEY_WORDS: Readonly<Record<SigningKey['state'], string>> = {
  announced: 'published, and signs soon',
  signing: 'new tokens are signed by it',
  verifying: 'retired; tokens that it signed may be alive',
  retired: 'no token of it is alive',
  withdrawn: 'refused everywhere',
};

export function withdrawKey({ kid, state }: SigningKey): Deed {
  const isAlive = state === 'signing' || state === 'verifying';
  return {
    title: 'Withdraw a signing key',
    effects: [
      isAlive
        ? 'Every access token that it signed is refused at once. Connected clients renew in place; nobody signs in again.'
        : 'No token of it should be alive: nobody notices.',
      ...(state === 'signing' ? ['A new key signs from now on.'] : []),
    ],
    undo: NOT_UNDONE,
    button: 'Withdraw the key',
    reason: 'required',
    destructive: true,
    asks: (reason) => [
      {
        method: 'POST',
        path: '/v1/admin/revocations',
        body: { key: kid, reason },
        receipt: true,
        label: `withdraw ${kid.slice(0, 8)}…`,
      },
    ],
    cli: (reason) => [cliOf(['keys', 'withdraw', kid], { reason })],
  };
}

/** The first key signs from the beginning of time. */
export const signsAtOnce = ({ signs_from: from, created_at: made }: SigningKey): boolean =>
  from <= made;

export const mayBeWithdrawn = ({ state }: SigningKey): boolean => state !== 'withdrawn';
