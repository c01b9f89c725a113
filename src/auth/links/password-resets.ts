/**
 * The rows of links for a new password. A link is for one use, 30 minutes, and the password that it
 * was made for: any new password ends all of them. At most five of a user are alive.
 */
import { Prisma } from '../../platform/generated/client.js';
import type { PasswordReset, User } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import type { Tx } from '../../platform/stores/database.js';
import { linkEnd, mintLinkCode } from './link-code.js';
import type { LinkCode } from './link-code.js';

export const RESET_SECONDS = 1_800;
const LIVE_MAX = 5;
const PRUNED_MAX = 100;

const ALIVE = Prisma.sql`expires_at > clock_timestamp()`;

/** The first holder of the link: the mailbox of the user, or an admin. */
type Made = { readonly mailedTo: string } | { readonly createdBy: string };

/**
 * The row of the user is locked. Null: enough links were mailed already; an admin's takes the place
 * of the oldest.
 */
export async function createReset(
  tx: Tx,
  { id: userId, tenantId, passwordVersion }: User,
  made: Made,
): Promise<{ code: LinkCode; id: string } | null> {
  await tx.$executeRaw`
    DELETE FROM password_resets WHERE id IN (
      SELECT id FROM password_resets WHERE NOT ${ALIVE} LIMIT ${PRUNED_MAX} FOR UPDATE SKIP LOCKED)`;
  const alive = await tx.passwordReset.findMany({
    where: { userId },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  if (alive.length >= LIVE_MAX) {
    if ('mailedTo' in made) return null;
    const old = alive.slice(0, alive.length - LIVE_MAX + 1).map(({ id }) => id);
    await tx.passwordReset.deleteMany({ where: { id: { in: old } } });
  }
  const code = mintLinkCode('password');
  const id = newId();
  await tx.passwordReset.create({
    data: {
      id,
      tenantId,
      userId,
      passwordVersion,
      tokenHash: code.hash,
      expiresAt: await linkEnd(tx, RESET_SECONDS),
      ...made,
    },
  });
  return { code, id };
}

export async function findReset(
  tx: Tx,
  tokenHash: Buffer<ArrayBuffer> | null,
): Promise<PasswordReset | null> {
  return tokenHash === null ? null : tx.passwordReset.findUnique({ where: { tokenHash } });
}

/** Ends it and every other one of the user, whose row is locked. False: it was over. */
export async function takeReset(tx: Tx, { id, userId }: PasswordReset): Promise<boolean> {
  const taken = await tx.$executeRaw`
    DELETE FROM password_resets WHERE id = ${id}::uuid AND ${ALIVE}`;
  if (taken === 1) await tx.passwordReset.deleteMany({ where: { userId } });
  return taken === 1;
}
