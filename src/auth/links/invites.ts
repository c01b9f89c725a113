/**
 * The rows of invitations. One is alive until its end, and while it has uses left; the statement
 * that counts a use is the one that checks both. The right of its author is checked by the callers,
 * at each use.
 */
import { rfc3339 } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { Prisma } from '../../platform/generated/client.js';
import type { Invite } from '../../platform/generated/client.js';
import { isId, newId } from '../../platform/ids.js';
import type { Tx } from '../../platform/stores/database.js';
import { linkCodeHash, linkEnd, mintLinkCode } from './link-code.js';
import type { LinkCode, LinkKind } from './link-code.js';

/** Of a room, or of a tenant, that are alive. */
const LIVE_MAX = 50;

const ALIVE = Prisma.sql`(expires_at > clock_timestamp() AND (max_uses IS NULL OR uses < max_uses))`;

/** The thing that it opens. */
export interface InviteTarget {
  readonly tenantId: string;
  /** Null: the tenant itself. */
  readonly roomId: string | null;
}

export interface NewInviteRow extends InviteTarget {
  readonly role: string | null;
  readonly email: string | null;
  readonly maxUses: number | null;
  readonly seconds: number;
  readonly createdBy: string;
}

const of = ({ tenantId, roomId }: InviteTarget): Prisma.Sql =>
  roomId === null
    ? Prisma.sql`tenant_id = ${tenantId}::uuid AND room_id IS NULL`
    : Prisma.sql`room_id = ${roomId}::uuid`;
const kindOf = ({ roomId }: InviteTarget): LinkKind => (roomId === null ? 'registration' : 'room');

/** Refused with `quota_exceeded` where there are too many. Dead ones go. */
export async function createInvite(
  tx: Tx,
  input: NewInviteRow,
): Promise<{ code: LinkCode; invite: Invite }> {
  await tx.$executeRaw`DELETE FROM invites WHERE ${of(input)} AND NOT ${ALIVE}`;
  const { tenantId, roomId, role, email, maxUses, seconds, createdBy } = input;
  if ((await tx.invite.count({ where: { tenantId, roomId } })) >= LIVE_MAX)
    throw new DomainError('quota_exceeded', { detail: 'invitations' });
  const code = mintLinkCode(kindOf(input));
  const invite = await tx.invite.create({
    data: {
      id: newId(),
      tenantId,
      roomId,
      role,
      email,
      maxUses,
      createdBy,
      codeHash: code.hash,
      expiresAt: await linkEnd(tx, seconds),
    },
  });
  return { code, invite };
}

/** Those that are alive, newest first. */
export async function liveInvites(tx: Tx, target: InviteTarget): Promise<Invite[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM invites WHERE ${of(target)} AND ${ALIVE}`;
  const ids = rows.map(({ id }) => id);
  return tx.invite.findMany({ where: { id: { in: ids } }, orderBy: { id: 'desc' } });
}

/** By id or code; answers the id. */
export async function withdrawInvite(tx: Tx, target: InviteTarget, ref: string): Promise<string> {
  const hash = linkCodeHash(kindOf(target), ref);
  const named = isId(ref)
    ? Prisma.sql`id = ${ref}::uuid`
    : hash === null
      ? Prisma.sql`false`
      : Prisma.sql`code_hash = ${hash}`;
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    DELETE FROM invites WHERE ${of(target)} AND ${named} RETURNING id`;
  return requireInvite(row).id;
}

/**
 * The invitation of a code by which this address may register in the tenant; null: there is none.
 * Its author is still an admin there, or an operator; `locked` holds them to that until the COMMIT.
 */
export async function findRegistration(
  tx: Tx,
  tenantId: string,
  code: string,
  email: string,
  { locked }: { locked: boolean },
): Promise<string | null> {
  const hash = linkCodeHash('registration', code);
  if (hash === null) return null;
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    SELECT i.id FROM invites i JOIN users u ON u.id = i.created_by
    WHERE i.code_hash = ${hash} AND i.tenant_id = ${tenantId}::uuid AND i.room_id IS NULL AND (i.email IS NULL OR i.email = ${email})
      AND i.id IN (SELECT id FROM invites WHERE code_hash = ${hash} AND ${ALIVE})
      AND u.state = 'active' AND (u.role = 'operator' OR (u.role = 'admin' AND u.tenant_id = i.tenant_id))
    ${locked ? Prisma.sql`FOR SHARE OF u` : Prisma.empty}`;
  return row?.id ?? null;
}

/** Counts one use; false: it is dead. */
export async function takeInvite(tx: Tx, id: string): Promise<boolean> {
  const taken = await tx.$executeRaw`
    UPDATE invites SET uses = uses + 1 WHERE id = ${id}::uuid AND ${ALIVE}`;
  return taken === 1;
}

/** Used up, expired, withdrawn or made up: there is no difference to a stranger. */
export function requireInvite<T>(value: T | null | undefined): T {
  if (value === null || value === undefined)
    throw new DomainError('not_found', { detail: 'no such invitation, or it is over' });
  return value;
}

export const inviteViewOf = ({ id, maxUses, uses, expiresAt, createdBy, createdAt }: Invite) => ({
  id,
  max_uses: maxUses,
  uses,
  expires_at: rfc3339(expiresAt),
  created_by: createdBy,
  created_at: rfc3339(createdAt),
});
