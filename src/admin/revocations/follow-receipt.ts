/** Receipts for callers that wait for one. */
import { Injectable } from '@nestjs/common';
import { Receipts } from '../../authority/receipts.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { tenantSeenBy } from '../../policy/decide-admin.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';

@Injectable()
export class FollowReceipt {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly receipts: Receipts,
  ) {}

  /**
   * For everybody of the tenant it belongs to. Read in Postgres: this call works on a fenced node
   * too.
   */
  async receipt(principal: Principal, id: string): Promise<Receipt> {
    const role = await this.admin.roleOf(principal);
    return this.receipts.find(id, tenantSeenBy(principal.tenantId, role));
  }
}
