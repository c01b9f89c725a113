/**
 * Which key signs, which verify, and when the table is read: around a withdrawal, and after the
 * authority was proven anew.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { SigningKeys, keyState } from '../../../src/auth/keys/signing-keys.js';
import { createSigningKey } from '../../../src/auth/keys/wrapped-key.js';
import { AuthorityDispatcher } from '../../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../../src/authority/authority-state.js';
import type { Lease } from '../../../src/authority/lease/lease.js';
import type { Config } from '../../../src/platform/config/config.js';
import type { Database } from '../../../src/platform/stores/database.js';

const SECRET = 'x'.repeat(32);
const MINUTE = 60_000;

interface Row {
  kid: string;
  alg: string;
  publicJwk: unknown;
  wrapped: Uint8Array;
  createdAt: Date;
  signsFrom: Date;
  retiredAt: Date | null;
  withdrawnAt: Date | null;
}

let rows: Row[];
let state: AuthorityState;
let keys: SigningKeys;
let proven: () => void;

async function row(signsFromMs: number, retiredMs: number | null = null): Promise<Row> {
  const key = await createSigningKey(SECRET, new Date(Date.now() + signsFromMs));
  const retiredAt = retiredMs === null ? null : new Date(Date.now() + retiredMs);
  return {
    ...key,
    createdAt: new Date(),
    signsFrom: key.signsFrom as Date,
    wrapped: key.wrapped as Uint8Array,
    retiredAt,
    withdrawnAt: null,
  };
}

beforeEach(() => {
  rows = [];
  const dispatcher = new AuthorityDispatcher();
  state = new AuthorityState(dispatcher);
  const database = { hot: async () => [...rows] } as unknown as Database;
  const lease = { onProven: (listener: () => void) => (proven = listener) } as unknown as Lease;
  keys = new SigningKeys(
    { secretKeys: [SECRET], signingAlg: 'ES256' } as unknown as Config,
    database,
    dispatcher,
    lease,
  );
});

const start = async () => expect(await keys.isSettled()).toBe(true);

test('the youngest key whose time has come signs; an announced one verifies only', async () => {
  rows = [await row(-10 * MINUTE, 5 * MINUTE), await row(-MINUTE), await row(5 * MINUTE)];
  await start();
  expect(keys.current().kid).toBe(rows[1]!.kid);
  expect(keys.jwks().keys.map((key) => key['kid'])).toEqual(rows.map(({ kid }) => kid));
  expect(rows.map((one) => keyState(one))).toEqual(['signing', 'signing', 'announced']);
});

test('a key that was added before the snapshot of the log is read when the authority is proven', async () => {
  rows = [await row(-MINUTE)];
  await start();
  rows = [...rows, await row(5 * MINUTE)];
  expect(keys.find(rows[1]!.kid)).toBeUndefined();
  proven();
  await keys.reload(); // shares the read that goes on
  expect(keys.find(rows[1]!.kid)).toBeDefined();
});

describe('a withdrawn key', () => {
  test('signs nothing from the event on, before the table was read; its announced successor does', async () => {
    rows = [await row(-MINUTE, 5 * MINUTE), await row(5 * MINUTE)];
    await start();
    state.apply({ kind: 'key.withdrawn', kid: rows[0]!.kid }, null);
    expect(keys.current().kid).toBe(rows[1]!.kid);
    expect(keys.jwks().keys.map((key) => key['kid'])).toEqual([rows[1]!.kid]);
    // The table as it was a moment ago does not bring it back.
    await keys.reload();
    expect(keys.current().kid).toBe(rows[1]!.kid);
  });

  test('that was the only one leaves a node that cannot sign: temporary trouble', async () => {
    rows = [await row(-MINUTE)];
    await start();
    state.apply({ kind: 'key.withdrawn', kid: rows[0]!.kid }, null);
    expect(() => keys.current()).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

test('a retired key is listed while its last token may live', async () => {
  rows = [
    await row(-90 * MINUTE, -31 * MINUTE),
    await row(-60 * MINUTE, -16 * MINUTE),
    await row(-MINUTE),
  ];
  await start();
  expect(keys.jwks().keys.map((key) => key['kid'])).toEqual([rows[1]!.kid, rows[2]!.kid]);
  expect(rows.map((one) => keyState(one))).toEqual(['retired', 'verifying', 'signing']);
});
