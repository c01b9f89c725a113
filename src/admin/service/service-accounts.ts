/**
 * Service accounts: users of role `service`, whose keys are sessions. A suspension, a lost scope
 * and the end of a key go through the authority log like those of anybody.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { newServiceKey } from '../../auth/service/service-keys.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Change } from '../../authority/authority-log.js';
import type { AuthorityEvent } from '../../authority/events.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Receipts } from '../../authority/receipts.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { Session, User } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import { page } from '../../platform/zod.js';
import type { PageQuery } from '../../platform/zod.js';
import type { AdminAction } from '../../policy/decide-admin.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { carryVersion } from '../users/change-user.js';
import type {
  ChangedServiceAccount,
  NewKey,
  NewServiceAccount,
  ServiceAccount,
  ServiceAccountPage,
  ServiceAccountPatch,
  ShownKey,
} from './service-account.schema.js';

const KEYS_MAX = 20;
/** A key ends by its own date, not because it rests. */
const NEVER_IDLE_SECONDS = 2_000_000_000;

@Injectable()
export class ServiceAccounts {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
  ) {}

  async create(
    principal: Principal,
    ref: string,
    { name, scopes }: NewServiceAccount,
  ): Promise<ServiceAccount> {
    const tenantId = await this.tenant(principal, 'change_service_accounts', ref);
    return this.database.transaction(async (tx) => {
      await this.authorizeIn(tx, principal, tenantId);
      const id = newId();
      const email = `${id}@service.invalid`;
      const user = await tx.user.create({
        data: { id, tenantId, email, name, role: 'service', scopes },
      });
      recordAudit(tx, {
        event: 'user_created',
        tenant: tenantId,
        user: id,
        detail: { role: 'service', scopes },
      });
      return viewOf(user, []);
    });
  }

  async list(
    principal: Principal,
    ref: string,
    { limit, cursor }: PageQuery,
  ): Promise<ServiceAccountPage> {
    const tenantId = await this.tenant(principal, 'list_service_accounts', ref);
    this.admin.recordLook('service_accounts', { id: tenantId, tenant: tenantId });
    const users = await this.database.prisma.user.findMany({
      where: {
        tenantId,
        role: 'service',
        ...(cursor === undefined ? {} : { id: { gt: cursor } }),
      },
      orderBy: { id: 'asc' },
      take: limit + 1,
    });
    const keys = await this.database.prisma.session.findMany({
      where: {
        userId: { in: users.map(({ id }) => id) },
        endedAt: null,
        expiresAt: { gt: new Date() },
      },
      orderBy: { id: 'desc' },
    });
    return page(
      users.map((user) =>
        viewOf(
          user,
          keys.filter(({ userId }) => userId === user.id),
        ),
      ),
      limit,
    );
  }

  async change(
    principal: Principal,
    ref: string,
    id: string,
    patch: ServiceAccountPatch,
    wait: boolean,
  ): Promise<ChangedServiceAccount> {
    const tenantId = await this.tenant(principal, 'change_service_accounts', ref);
    const { result, pending } = await this.log.commit(async (tx) => {
      await this.authorizeIn(tx, principal, tenantId, id);
      return applyPatch(tx, await accountIn(tx, tenantId, id), patch);
    });
    return {
      service_account: result,
      receipt: await this.receipts.waitForReceipt(pending, wait),
    };
  }

  async createKey(
    principal: Principal,
    ref: string,
    id: string,
    { expires_in }: NewKey,
  ): Promise<ShownKey> {
    const tenantId = await this.tenant(principal, 'change_service_accounts', ref);
    return this.database.transaction(async (tx) => {
      await this.authorizeIn(tx, principal, tenantId, id);
      const account = await accountIn(tx, tenantId, id);
      if (account.state !== 'active') throw new DomainError('user_suspended');
      if ((await keysOf(tx, id)).length >= KEYS_MAX)
        throw new DomainError('quota_exceeded', { detail: 'keys of a service account' });
      const session = newId();
      const key = newServiceKey(session);
      const rows = await tx.$queryRaw<{ expires_at: Date }[]>`
        INSERT INTO sessions (id, tenant_id, user_id, device, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
        VALUES (${session}::uuid, ${tenantId}::uuid, ${id}::uuid, 'service key', ${account.version}, ${NEVER_IDLE_SECONDS},
          clock_timestamp() + make_interval(secs => ${expires_in}::integer), ${key.hash}, ${key.hash})
        RETURNING expires_at`;
      recordAudit(tx, {
        event: 'session_created',
        tenant: tenantId,
        user: id,
        session,
        detail: { transport: 'service_key', guest: false },
      });
      return { key_id: session, key: key.text, expires_at: rfc3339(rows[0]!.expires_at) };
    });
  }

  async endKey(
    principal: Principal,
    ref: string,
    id: string,
    key: string,
    wait: boolean,
  ): Promise<Receipt> {
    const tenantId = await this.tenant(principal, 'change_service_accounts', ref);
    const { pending } = await this.log.commit(async (tx) => {
      await this.authorizeIn(tx, principal, tenantId, id);
      await accountIn(tx, tenantId, id);
      const ended = await endSessions(
        tx,
        { session: key, user: id, tenant: tenantId },
        'session_revoked',
      );
      if (ended.length === 0) throw new DomainError('not_found', { detail: 'no such key' });
      return { result: ended, events: sessionsEnded(ended, 'session_revoked'), tenant: tenantId };
    });
    return (await this.receipts.waitForReceipt(pending, wait))!;
  }

  private async tenant(principal: Principal, action: AdminAction, ref: string): Promise<string> {
    const tenantId = await this.admin.tenantId(ref);
    await this.admin.require(principal, action, { tenantId });
    return found(tenantId, 'tenant');
  }

  private async authorizeIn(
    tx: Tx,
    principal: Principal,
    tenantId: string,
    account?: string,
  ): Promise<void> {
    const { role } = await lockCaller(tx, principal, 'change', account);
    this.admin.authorize(principal, role, 'change_service_accounts', { tenantId });
  }
}

async function accountIn(tx: Tx, tenantId: string, id: string): Promise<User> {
  const user = await tx.user.findUnique({ where: { id, tenantId, role: 'service' } });
  return found(user, 'service account');
}

const keysOf = (tx: Tx, id: string): Promise<Session[]> =>
  tx.session.findMany({
    where: { userId: id, endedAt: null, expiresAt: { gt: new Date() } },
    orderBy: { id: 'desc' },
  });

/** `before` is locked. */
async function applyPatch(
  tx: Tx,
  before: User,
  patch: ServiceAccountPatch,
): Promise<Change<ServiceAccount>> {
  const scopes = patch.scopes ?? before.scopes;
  const state = patch.state ?? (before.state as ServiceAccount['state']);
  const suspends = patch.state === 'suspended';
  const rescoped = scopes.join() !== before.scopes.join();
  const matters = suspends || state !== before.state || rescoped;
  const version = before.version + (matters ? 1 : 0);
  const ended = suspends ? await endSessions(tx, { user: before.id }, 'user_suspended') : [];
  const user = await tx.user.update({
    where: { id: before.id },
    data: { name: patch.name ?? before.name, scopes, state, version },
  });
  if (matters) await carryVersion(tx, user.id, version);
  const about = { tenant: user.tenantId, user: user.id };
  if (rescoped)
    recordAudit(tx, {
      event: 'privilege_permissions_changed',
      ...about,
      detail: { object: 'service_account', from: before.scopes, to: scopes },
    });
  if (state !== before.state)
    recordAudit(tx, {
      event: suspends ? 'user_suspended' : 'user_restored',
      ...about,
      detail: { sessions: ended.length },
    });
  const event: AuthorityEvent = {
    kind: 'user.changed',
    user: user.id,
    state,
    role: 'service',
    version,
  };
  const shrinks = suspends || before.scopes.some((scope) => !scopes.includes(scope));
  return {
    result: viewOf(user, await keysOf(tx, user.id)),
    events: shrinks ? [...sessionsEnded(ended, 'user_suspended'), event] : [],
    grown: matters && !shrinks ? [event] : [],
    tenant: user.tenantId,
  };
}

function viewOf(user: User, keys: Session[]): ServiceAccount {
  return {
    id: user.id,
    tenant_id: user.tenantId,
    name: user.name,
    scopes: user.scopes as ServiceAccount['scopes'],
    state: user.state as ServiceAccount['state'],
    keys: keys.map(({ id, createdAt, expiresAt, lastActiveAt }) => ({
      key_id: id,
      created_at: rfc3339(createdAt),
      expires_at: rfc3339(expiresAt),
      last_active_at: rfc3339(lastActiveAt),
    })),
    created_at: rfc3339(user.createdAt),
  };
}
