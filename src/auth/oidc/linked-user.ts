/**
 * The user an external issuer means. Known by (issuer, subject, tenant); the first time found by a
 * verified e-mail address, or made where ISSUERS_FILE allows it. A registration does not prove an
 * address: the person who proves it takes the account over, and no other way into the account
 * survives. Operators are never linked: nobody else's key opens the whole installation.
 */
import { recordAudit } from '../../audit/record-audit.js';
import type { AuthorityEvent } from '../../authority/events.js';
import type { Tx } from '../../platform/stores/database.js';
import { emailSchema, isPlainlyWritten } from '../../platform/email.js';
import { DomainError } from '../../platform/errors.js';
import type { User } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import { isSystemRole } from '../../platform/stores/system-tenant.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import { personNameSchema } from '../sign-in/sign-in.schemas.js';
import { isSubject } from './issuers.js';
import type { VerifiedToken } from './issuers.js';

interface Identity {
  issuer: string;
  subject: string;
  tenantId: string;
}

export interface LinkedUser {
  user: User;
  /**
   * For the authority log, in the same transaction: the sessions of whoever had the account until
   * now.
   */
  ended: AuthorityEvent[];
}

/**
 * Inside the transaction that opens the session, the tenant locked. Lock order: tenants,
 * user_links, users, sessions.
 */
export async function linkedUser(
  tx: Tx,
  tenantId: string,
  token: VerifiedToken,
): Promise<LinkedUser> {
  const { iss: issuer, sub: subject, iat } = token.claims;
  if (!isSubject(subject)) throw new DomainError('auth_invalid', { detail: 'no subject' });
  const identity = { issuer, subject, tenantId };
  const rows = await tx.$queryRaw<{ user_id: string; logged_out_at: Date | null }[]>`
    SELECT user_id, logged_out_at FROM user_links WHERE issuer = ${issuer} AND subject = ${subject} AND tenant_id = ${tenantId}::uuid FOR SHARE`;
  const link = rows[0];
  if (link === undefined) return requireProven(tx, await linkFirst(tx, identity, token), issuer);
  const loggedOutMs = link.logged_out_at?.getTime() ?? -Infinity;
  if (iat * 1000 <= loggedOutMs)
    throw new DomainError('auth_invalid', {
      detail: 'issued before the issuer logged its user out',
    });
  return requireProven(
    tx,
    await tx.user.findUniqueOrThrow({ where: { id: link.user_id } }),
    issuer,
  );
}

/**
 * The address of an account that is entered by an issuer is proven from then on. Of one that was
 * not, the password and every session are a stranger's as far as anybody knows; links that were
 * made before addresses were proven included.
 */
async function requireProven(tx: Tx, user: User, issuer: string): Promise<LinkedUser> {
  if (user.emailProvenAt !== null) return { user, ended: [] };
  // Of two first logins at once one takes over, and must not be thrown out by the other.
  await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${user.id}::uuid FOR NO KEY UPDATE`;
  const now = await tx.user.findUniqueOrThrow({ where: { id: user.id } });
  if (now.emailProvenAt !== null) return { user: now, ended: [] };
  const sessions = await endSessions(tx, { user: user.id }, 'session_revoked', {
    why: 'taken_over',
  });
  const data = { emailProvenAt: new Date(), passwordHash: null, passwordVersion: { increment: 1 } };
  const taken = await tx.user.update({ where: { id: user.id }, data });
  const detail = { issuer, sessions: sessions.length, password: now.passwordHash !== null };
  recordAudit(tx, {
    event: 'user_taken_over',
    tenant: user.tenantId,
    actor: user.id,
    user: user.id,
    detail,
  });
  return { user: taken, ended: sessionsEnded(sessions, 'session_revoked') };
}

async function linkFirst(tx: Tx, identity: Identity, token: VerifiedToken): Promise<User> {
  const email = verifiedEmail(token);
  if (email === null)
    throw new DomainError('not_found', {
      detail: 'no linked user, and no verified e-mail to find one by',
    });
  const found = await tx.user.findUnique({
    where: { tenantId_email: { tenantId: identity.tenantId, email } },
  });
  const user = found ?? (await create(tx, identity.tenantId, email, token));
  if (isSystemRole(user.role))
    throw new DomainError('not_found', { detail: 'operators and auditors are not linked' });
  const link =
    found === null
      ? null
      : await tx.userLink.findUnique({
          where: { issuer_userId: { issuer: identity.issuer, userId: user.id } },
        });
  // Linked since we looked, by a login beside this one.
  if (link?.subject === identity.subject) return user;
  if (link !== null)
    throw new DomainError('email_taken', {
      detail: 'the user is linked to another subject of this issuer',
    });
  await tx.userLink.create({ data: { ...identity, userId: user.id } });
  const { issuer, tenantId: tenant } = identity;
  recordAudit(tx, {
    event: 'user_linked',
    tenant,
    actor: user.id,
    user: user.id,
    detail: { issuer },
  });
  return user;
}

async function create(
  tx: Tx,
  tenantId: string,
  email: string,
  { entry, claims }: VerifiedToken,
): Promise<User> {
  if (entry.users !== 'create')
    throw new DomainError('not_found', { detail: 'no such user, and this issuer makes none' });
  const name = personNameSchema.safeParse(claims[entry.claims.name]);
  const role =
    entry.claims.role !== undefined && [claims[entry.claims.role]].flat().includes('admin')
      ? 'admin'
      : 'member';
  const data = {
    id: newId(),
    tenantId,
    email,
    emailProvenAt: new Date(),
    name: name.success ? name.data : email.split('@')[0]!.slice(0, 100),
    role,
  };
  const user = await tx.user.create({ data });
  recordAudit(tx, {
    event: 'user_created',
    tenant: tenantId,
    actor: user.id,
    user: user.id,
    detail: { role, by: 'exchange', issuer: entry.issuer },
  });
  return user;
}

/**
 * `assumed` speaks for an issuer that says nothing, not against one that says no. Some write the
 * boolean as text.
 */
function verifiedEmail({ entry, claims }: VerifiedToken): string | null {
  const said = claims['email_verified'] ?? (entry.email_verified === 'assumed' ? true : undefined);
  const text = claims[entry.claims.email];
  const email = emailSchema.safeParse(text);
  return (said === true || said === 'true') && email.success && isPlainlyWritten(text as string)
    ? email.data
    : null;
}
