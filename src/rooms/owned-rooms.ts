/** How many rooms somebody may own, by making them or by being made their owner. */
import type { Config } from '../platform/config/config.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';

/**
 * For one room more. Exact where the user's row is locked for a change; else two that come together
 * may both be let through.
 */
export async function requireRoomForRoom(
  tx: Tx,
  user: string,
  { roomsPerUserMax: max }: Config,
): Promise<void> {
  if (!Number.isFinite(max)) return;
  const rows = await tx.$queryRaw<{ n: number }[]>`
    SELECT count(*)::integer AS n FROM (
      SELECT 1 FROM members m JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ${user}::uuid AND m.role = 'owner' AND r.state = 'open' LIMIT ${max}::integer) owned`;
  if (rows[0]!.n >= max) throw new DomainError('quota_exceeded', { detail: 'rooms of an owner' });
}
