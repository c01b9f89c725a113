/**
 * Tenants: made, listed, disabled and restored by operators. Disabling one ends its sessions with
 * the same COMMIT.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Change } from '../../authority/authority-log.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { Receipts } from '../../authority/receipts.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database, uniqueOr } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import type { Tenant } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import { page } from '../../platform/zod.js';
import type { PageQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { lockTenant } from './lock-order.js';
import { endGuests, endTenant, restoreTenant } from './tenant-sessions.js';
import type {
  ChangedTenant,
  NewTenant,
  TenantPage,
  TenantPatch,
  TenantView,
} from './tenant.schema.js';

@Injectable()
export class Tenants {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
  ) {}

  async list(principal: Principal, { limit, cursor }: PageQuery): Promise<TenantPage> {
    await this.admin.require(principal, 'list_tenants', { tenantId: null });
    const after = { erasedAt: null, ...(cursor === undefined ? {} : { id: { gt: cursor } }) };
    return page(
      (
        await this.database.prisma.tenant.findMany({
          where: after,
          orderBy: { id: 'asc' },
          take: limit + 1,
        })
      ).map(viewOf),
      limit,
    );
  }

  async create(principal: Principal, input: NewTenant): Promise<TenantView> {
    await this.admin.require(principal, 'create_tenant', { tenantId: null });
    return uniqueOr('slug_taken', () =>
      this.database.transaction(async (tx) => {
        const { role } = await lockCaller(tx, principal);
        this.admin.authorize(principal, role, 'create_tenant', { tenantId: null });
        const {
          slug,
          name,
          allow_registration: allowRegistration,
          allow_guests: allowGuests,
        } = input;
        const tenant = await tx.tenant.create({
          data: { id: newId(), slug, name, allowRegistration, allowGuests },
        });
        recordAudit(tx, {
          event: 'tenant_created',
          tenant: tenant.id,
          detail: { slug, allow_registration: allowRegistration, allow_guests: allowGuests },
        });
        return viewOf(tenant);
      }),
    );
  }

  async patch(
    principal: Principal,
    ref: string,
    patch: TenantPatch,
    wait: boolean,
  ): Promise<ChangedTenant> {
    const change = {
      stops: patch.state === 'disabled',
      opens:
        patch.slug !== undefined ||
        patch.allow_registration === true ||
        patch.allow_guests === true,
    };
    const tenantId = await this.admin.tenantId(ref);
    await this.admin.require(principal, 'change_tenant', { tenantId, ...change });
    const id = found(tenantId, 'tenant');
    const { result, pending } = await uniqueOr('slug_taken', () =>
      this.log.commit(async (tx) => {
        await lockTenant(tx, id);
        const { role } = await lockCaller(tx, principal);
        this.admin.authorize(principal, role, 'change_tenant', { tenantId: id, ...change });
        return changeTenant(
          tx,
          found(await tx.tenant.findUnique({ where: { id, erasedAt: null } }), 'tenant'),
          patch,
        );
      }),
    );
    const receipt = await this.receipts.waitForReceipt(pending, wait);
    // Restoring is logged and waited for, so that every node lets the tenant in again; it takes
    // nothing from anybody.
    return { tenant: viewOf(result.tenant), receipt: result.shrinks ? receipt : null };
  }
}

async function changeTenant(
  tx: Tx,
  before: Tenant,
  patch: TenantPatch,
): Promise<Change<{ tenant: Tenant; shrinks: boolean }>> {
  const after = {
    state: patch.state ?? before.state,
    allowGuests: patch.allow_guests ?? before.allowGuests,
  };
  const restores = before.state === 'disabled' && after.state === 'active';
  const disables = patch.state === 'disabled';
  const lessGuests = before.allowGuests && !after.allowGuests;
  const matters = disables || restores || before.allowGuests !== after.allowGuests;
  const ended: AuthorityEvent[] = [];
  const sessions = disables ? await endTenant(tx, before.id) : 0;
  if (restores) ended.push(...(await restoreTenant(tx, before.id)));
  if (lessGuests && !disables) ended.push(...(await endGuests(tx, before.id)));
  const tenant = await tx.tenant.update({
    where: { id: before.id },
    data: {
      ...after,
      slug: patch.slug ?? before.slug,
      name: patch.name ?? before.name,
      allowRegistration: patch.allow_registration ?? before.allowRegistration,
      accessTtlSeconds:
        patch.access_ttl_seconds === undefined ? before.accessTtlSeconds : patch.access_ttl_seconds,
      version: before.version + (matters ? 1 : 0),
    },
  });
  auditTenant(tx, before, tenant);
  const state = tenant.state as 'active' | 'disabled';
  const event: AuthorityEvent = {
    kind: 'tenant.changed',
    tenant: tenant.id,
    state,
    allow_guests: tenant.allowGuests,
    version: tenant.version,
  };
  const shrinks = disables || lessGuests;
  const logged = shrinks || restores;
  return {
    result: { tenant, shrinks },
    events: logged ? [...ended, event] : [],
    grown: matters && !logged ? [event] : [],
    tenant: tenant.id,
    sessions,
  };
}

/** One record of everything that differs: from and to. */
function auditTenant(tx: Tx, before: Tenant, after: Tenant): void {
  const fields = [
    'state',
    'slug',
    'name',
    'allowRegistration',
    'allowGuests',
    'accessTtlSeconds',
  ] as const;
  const changed = fields.filter((field) => before[field] !== after[field]);
  if (changed.length === 0) return;
  const detail = Object.fromEntries(
    changed.map((field) => [field, { from: before[field], to: after[field] }]),
  );
  recordAudit(tx, { event: 'tenant_updated', tenant: after.id, detail });
}

function viewOf({
  id,
  slug,
  name,
  state,
  allowRegistration,
  allowGuests,
  accessTtlSeconds,
  createdAt,
}: Tenant): TenantView {
  return {
    id,
    slug,
    name,
    state: state as TenantView['state'],
    allow_registration: allowRegistration,
    allow_guests: allowGuests,
    access_ttl_seconds: accessTtlSeconds,
    created_at: rfc3339(createdAt),
  };
}
