/**
 * `DELETE /v1/admin/connections/{id}`: an operator closes one connection, on whichever node it is.
 * The session lives on; to end that, sessions are revoked. The record is committed before the
 * connection is closed.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { LiveConnections } from '../../gateway/live/live-connections.js';
import type { Found } from '../../gateway/live/live-connections.js';
import { DomainError } from '../../platform/errors.js';
import { Database } from '../../platform/stores/database.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { CloseQuery, ClosedConnection } from './connection.schema.js';

const CODES = { reconnect: 'draining', stop: 'forbidden' } as const;

@Injectable()
export class CloseConnection {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly live: LiveConnections,
  ) {}

  async close(principal: Principal, id: string, { action }: CloseQuery): Promise<ClosedConnection> {
    const target = { tenantId: null };
    await this.admin.require(principal, 'close_connection', target);
    const { item, node } = foundIn(await this.live.find(id));
    const code = CODES[action];
    const { close_id: closeId } = item;
    await this.database.transaction(async (tx) => {
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'close_connection', target);
      recordAudit(tx, {
        event: 'connection_ended',
        tenant: item.tenant,
        user: item.user,
        session: item.session,
        detail: { connection: id, close_id: closeId, code },
      });
    });
    foundIn(await this.live.closeAnywhere({ id, code, by: principal.userId }, node));
    return { id, close_id: closeId, node, code, action };
  }
}

/** A connection that is nowhere is gone only when every node says so. */
function foundIn<T>({ item, node, partial }: Found<T>): { item: T; node: string } {
  if (item !== null && node !== null) return { item, node };
  if (partial.length > 0)
    throw new DomainError('unavailable', { detail: 'not every node answered' });
  throw new DomainError('not_found', { detail: 'no such live connection' });
}
