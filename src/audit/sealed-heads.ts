/**
 * Heads that nodes sealed in Postgres (`audit_heads`). A row without a true seal proves nothing.
 */
import { headSeal } from './audit-hash.js';
import type { AuditKey } from './audit-hash.js';

export interface SealedHead {
  chain: string;
  witness: string;
  n: string;
  hash: Buffer;
  key_id: string;
  seal: Buffer;
}

/** `unknown key`: none of `keys` can tell. */
export function checkSeal(
  keys: readonly AuditKey[],
  { chain, witness, n, hash, key_id, seal }: SealedHead,
): 'true' | 'forged' | 'unknown key' {
  const key = keys.find(({ id }) => id === key_id);
  if (key === undefined) return 'unknown key';
  return headSeal(key, witness, chain, { n: BigInt(n), hash }).equals(seal) ? 'true' : 'forged';
}
