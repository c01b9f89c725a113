/**
 * Users of a tenant: made, listed, suspended, restored, promoted and demoted by operators and by
 * the tenant's admins.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { Passwords } from '../../auth/sign-in/passwords.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import { Receipts } from '../../authority/receipts.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database, uniqueOr } from '../../platform/stores/database.js';
import type { User } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import { page } from '../../platform/zod.js';
import type { PageQuery } from '../../platform/zod.js';
import type { AdminTarget } from '../../policy/decide-admin.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { changeUser } from './change-user.js';
import type { ChangedUser, NewUser, UserPage, UserPatch, UserView } from './user.schema.js';

@Injectable()
export class Users {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    private readonly passwords: Passwords,
  ) {}

  async list(principal: Principal, ref: string, { limit, cursor }: PageQuery): Promise<UserPage> {
    const tenantId = await this.admin.tenantId(ref);
    await this.admin.require(principal, 'list_users', { tenantId });
    const tenant = found(tenantId, 'tenant');
    this.admin.recordLook('users', { id: tenant, tenant });
    const where = {
      tenantId: tenant,
      role: { not: 'service' },
      ...(cursor === undefined ? {} : { id: { gt: cursor } }),
    };
    return page(
      (
        await this.database.prisma.user.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 })
      ).map(viewOf),
      limit,
    );
  }

  async create(principal: Principal, ref: string, input: NewUser): Promise<UserView> {
    const tenantId = await this.admin.tenantId(ref);
    const target = { tenantId, newRole: input.role };
    await this.admin.require(principal, 'create_user', target);
    const id = found(tenantId, 'tenant');
    const { email, name, role } = input;
    const passwordHash = await this.passwords.hash(input.password);
    return uniqueOr('email_taken', () =>
      this.database.transaction(async (tx) => {
        const caller = await lockCaller(tx, principal);
        this.admin.authorize(principal, caller.role, 'create_user', target);
        const user = await tx.user.create({
          data: { id: newId(), tenantId: id, email, name, role, passwordHash },
        });
        recordAudit(tx, {
          event: 'user_created',
          tenant: id,
          user: user.id,
          detail: { role, by: caller.role },
        });
        return viewOf(user);
      }),
    );
  }

  async patch(
    principal: Principal,
    userId: string,
    patch: UserPatch,
    wait: boolean,
  ): Promise<ChangedUser> {
    const seen = await this.database.prisma.user.findUnique({
      where: { id: userId, role: { not: 'service' } },
    });
    await this.admin.require(principal, 'change_user', targetOf(seen, patch));
    found(seen, 'user');
    const { result, pending } = await this.log.commit(async (tx) => {
      const { role } = await lockCaller(tx, principal, 'change', userId);
      const before = await tx.user.findUnique({ where: { id: userId, role: { not: 'service' } } });
      this.admin.authorize(principal, role, 'change_user', targetOf(before, patch));
      return changeUser(tx, found(before, 'user'), patch);
    });
    return { user: viewOf(result), receipt: await this.receipts.waitForReceipt(pending, wait) };
  }
}

function targetOf(user: User | null, patch: UserPatch): AdminTarget {
  if (user === null) return { tenantId: null };
  const newRole = patch.role === user.role ? undefined : patch.role;
  return {
    tenantId: user.tenantId,
    userId: user.id,
    userRole: user.role as UserView['role'],
    stops: patch.state === 'suspended',
    newRole,
  };
}

function viewOf({ id, tenantId, email, name, role, state, createdAt }: User): UserView {
  return {
    id,
    tenant_id: tenantId,
    email,
    name,
    role: role as UserView['role'],
    state: state as UserView['state'],
    created_at: rfc3339(createdAt),
  };
}
