/** Queries of operators and admins, and receipts for callers that wait for one. */
import { Injectable } from '@nestjs/common';
import { keyState } from '../../auth/keys/signing-keys.js';
import { Receipts } from '../../authority/receipts.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { seesAllTenants } from '../../policy/decide-admin.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { KeyList } from './admin-queries.schema.js';

@Injectable()
export class AdminQueries {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly receipts: Receipts,
  ) {}

  /**
   * For everybody of the tenant it belongs to. Read in Postgres: this call works on a fenced node
   * too.
   */
  async receipt(principal: Principal, id: string): Promise<Receipt> {
    const role = await this.admin.roleOf(principal);
    return this.receipts.find(id, seesAllTenants(role) ? null : principal.tenantId);
  }

  async keys(principal: Principal): Promise<KeyList> {
    await this.admin.require(principal, 'read_keys', { tenantId: null });
    const rows = await this.database.prisma.signingKey.findMany({ orderBy: { createdAt: 'desc' } });
    const items = rows.map((row) => ({
      kid: row.kid,
      alg: row.alg,
      state: keyState(row),
      created_at: rfc3339(row.createdAt),
      signs_from: rfc3339(row.signsFrom),
      retired_at: row.retiredAt === null ? null : rfc3339(row.retiredAt),
      withdrawn_at: row.withdrawnAt === null ? null : rfc3339(row.withdrawnAt),
    }));
    return { items, next_cursor: null };
  }
}
