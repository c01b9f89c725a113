/** Signing keys: their age and state, and what withdrawing one ends. */
import type { KeyList } from '../../../../src/admin/keys/key.schema.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { cliOf, get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { plural } from '../words.js';

export type SigningKey = KeyList['items'][number];

export const KEY_WORDS: Readonly<Record<SigningKey['state'], string>> = {
  announced: 'published, and signs soon',
  signing: 'new tokens are signed by it',
  verifying: 'retired; tokens that it signed may be alive',
  retired: 'no token of it is alive',
  withdrawn: 'refused everywhere',
};

/** Open now, on all nodes. */
export async function countConnections(caller: Caller): Promise<number> {
  const { items } = await send<{ items: { state: string; connections: number | null }[] }>(
    caller,
    get('/v1/admin/nodes', { limit: 50 }),
  );
  return items
    .filter(({ state }) => state !== 'gone')
    .reduce((sum, { connections }) => sum + (connections ?? 0), 0);
}

export const rotateKey = (): Deed => ({
  title: 'Rotate the signing key',
  effects: [
    'A new key is published now. It signs as soon as every node, and every copy of the key list, knows it.',
    'Nothing ends: the present key goes on verifying until its last token is dead. No connection is closed, nobody signs in again.',
  ],
  undo: 'The old key does not come back. If one was stolen, withdraw it instead.',
  button: 'Rotate',
  reason: 'required',
  destructive: false,
  asks: (reason) => [
    {
      method: 'POST',
      path: '/v1/admin/keys/rotate',
      body: { reason },
      receipt: true,
      label: 'publish a new key',
    },
  ],
  cli: (reason) => [cliOf(['keys', 'rotate', '--service'], { reason })],
});

/** `connections`: open now; undefined where it is not known. */
export function withdrawKey({ kid, state }: SigningKey, connections?: number): Deed {
  const isAlive = state === 'signing' || state === 'verifying';
  return {
    title: 'Withdraw a signing key',
    effects: [
      isAlive
        ? 'Every access token that it signed is refused at once, on every node.'
        : 'No token of it should be alive: nobody notices.',
      ...(isAlive
        ? [
            `${connections === undefined ? 'Connected clients' : `Of ${plural(connections, 'connection')} that ${connections === 1 ? 'is' : 'are'} open now, those with such a token`} renew in place or connect again; nobody signs in again.`,
          ]
        : []),
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
