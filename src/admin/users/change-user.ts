/**
 * The change of a user's state or role, with all that depends on it: sessions, the versions they
 * carry, the log.
 */
import { recordAudit } from '../../audit/record-audit.js';
import type { AuditDetail, AuditEventName } from '../../audit/audit-events.js';
import type { Change } from '../../authority/authority-log.js';
import type { AuthorityEvent } from '../../authority/events.js';
import type { Tx } from '../../platform/stores/database.js';
import type { User } from '../../platform/generated/client.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import type { UserPatch, UserView } from './user.schema.js';

const RANK: Record<UserView['role'], number> = {
  member: 0,
  admin: 1,
  auditor: 1,
  operator: 2,
};

/**
 * `before` is locked. A suspension is logged even when the user was suspended already, so that the
 * answer is a true receipt. A new role reaches the live sessions with the same COMMIT: the publish
 * guard compares their `user_version`.
 */
export async function changeUser(tx: Tx, before: User, patch: UserPatch): Promise<Change<User>> {
  const [from, to] = [
    before.role as UserView['role'],
    patch.role ?? (before.role as UserView['role']),
  ];
  const state = patch.state ?? (before.state as UserView['state']);
  const suspends = patch.state === 'suspended';
  const matters = suspends || state !== before.state || to !== from;
  const ended = suspends ? await endSessions(tx, { user: before.id }, 'user_suspended') : [];
  const version = before.version + (matters ? 1 : 0);
  const user = await tx.user.update({
    where: { id: before.id },
    data: { name: patch.name ?? before.name, role: to, state, version },
  });
  if (matters) await carryVersion(tx, user.id, version);
  const note = (event: AuditEventName, detail: AuditDetail = {}) =>
    recordAudit(tx, { event, tenant: user.tenantId, user: user.id, detail });
  if (to !== from) note('privilege_permissions_changed', { object: 'tenant', from, to });
  if (state !== before.state)
    note(suspends ? 'user_suspended' : 'user_restored', { sessions: ended.length });
  if (user.name !== before.name) note('user_updated', { fields: ['name'] });
  const event: AuthorityEvent = { kind: 'user.changed', user: user.id, state, role: to, version };
  const shrinks = suspends || RANK[to] < RANK[from];
  const renamed: AuthorityEvent[] =
    user.name === before.name ? [] : [{ ...event, onlyShown: true }];
  return {
    result: user,
    events: shrinks ? [...sessionsEnded(ended, 'user_suspended'), event] : [],
    grown: matters && !shrinks ? [event, ...renamed] : renamed,
    tenant: user.tenantId,
  };
}

/** Sessions carry the version of their user, so that a statement sees that it moved. */
export async function carryVersion(tx: Tx, userId: string, version: number): Promise<void> {
  await tx.$executeRaw`
    WITH live AS (SELECT id FROM sessions WHERE user_id = ${userId}::uuid AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE)
    UPDATE sessions s SET user_version = ${version}::integer FROM live WHERE s.id = live.id`;
}
