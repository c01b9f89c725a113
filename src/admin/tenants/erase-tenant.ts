/**
 * `DELETE /v1/admin/tenants/{tenant}`: a disabled tenant is gone for everybody with this COMMIT.
 * Its name is free again, and nobody can restore it. Its rows go in batches (tenant-eraser.ts);
 * meanwhile the call answers 202, and 404 when they are gone.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { DomainError } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import { Database } from '../../platform/stores/database.js';
import type { Principal } from '../../sessions/principal.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { lockTenant } from './lock-order.js';
import type { ErasingTenant } from './tenant.schema.js';
import { TenantEraser } from './tenant-eraser.js';

@Injectable()
export class EraseTenant {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly eraser: TenantEraser,
  ) {}

  async erase(principal: Principal, ref: string): Promise<ErasingTenant> {
    // A deleted tenant has no slug any more, and is found by its id only.
    const tenantId = isId(ref) ? ref : await this.admin.tenantId(ref);
    await this.admin.require(principal, 'erase_tenant', { tenantId });
    const id = found(tenantId, 'tenant');
    const again = await this.database.transaction(async (tx) => {
      await lockTenant(tx, id);
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'erase_tenant', { tenantId: id });
      const { slug, state, erasedAt } = found(
        await tx.tenant.findUnique({ where: { id } }),
        'tenant',
      );
      if (erasedAt !== null) return true;
      if (state !== 'disabled')
        throw new DomainError('invalid_request', {
          errors: [{ path: 'tenant', message: 'has to be disabled first' }],
        });
      await tx.$executeRaw`
        UPDATE tenants SET erased_at = clock_timestamp(), slug = ${`erased:${id}`}, name = 'Erased'
        WHERE id = ${id}::uuid`;
      recordAudit(tx, { event: 'tenant_erased', tenant: id, detail: { slug } });
      return false;
    });
    if (again && (await this.eraser.isEmpty(id)))
      throw new DomainError('not_found', { detail: 'the tenant is erased' });
    this.eraser.nudge();
    return { id, state: 'erasing' };
  }
}
