/** Withdrawing a signing key, inside the transaction of an `AuthorityLog.commit`: everything it signed is refused with `token_revoked`. */
import { createSigningKey } from '../auth/wrapped-key.js';
import type { AuthorityEvent } from '../authority/events.js';
import type { Tx } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';

/**
 * The clients come back with their refresh tokens at once, so there is always a key left to sign: if this was the last
 * one, its successor is added in the same transaction and signs from now on. A key that is withdrawn already is
 * withdrawn again, so that the answer is a true receipt.
 */
export async function withdrawKey(tx: Tx, kid: string, secretKey: string): Promise<AuthorityEvent[]> {
  const keys = await tx.$queryRaw<{ kid: string; signs: boolean }[]>`
    SELECT kid, withdrawn_at IS NULL AND retired_at IS NULL AND signs_from <= clock_timestamp() AS signs FROM signing_keys ORDER BY kid FOR UPDATE`;
  if (!keys.some((key) => key.kid === kid)) throw new DomainError('not_found', { detail: 'no such signing key' });
  await tx.$executeRaw`UPDATE signing_keys SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()) WHERE kid = ${kid}`;
  const withdrawn: AuthorityEvent = { kind: 'key.withdrawn', kid };
  if (keys.some((key) => key.signs && key.kid !== kid)) return [withdrawn];
  const { kid: successor } = await tx.signingKey.create({ data: await createSigningKey(secretKey, new Date()) });
  return [{ kind: 'key.added', kid: successor }, withdrawn];
}
