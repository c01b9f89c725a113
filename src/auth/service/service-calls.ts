/**
 * A call of a service account: within its scopes, and as another user where it asks for that. Both
 * are read in Postgres at every call.
 */
import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import type { Scope } from '../../policy/scopes.js';
import type { AcceptedToken, Principal } from '../../sessions/principal.js';
import { isOfService } from '../tokens/token-id.js';
import { CALL_SCOPES, isRoomCall } from './call-scopes.js';

export const ACT_AS = 'wardroom-act-as';
const EXTERNAL = 'external:';

@Injectable()
export class ServiceCalls {
  constructor(private readonly database: Database) {}

  /**
   * Answers the principal to act as. `asked`: the header `Wardroom-Act-As`. Throws
   * `scope_required`, or `not_found` for a user of another tenant or none.
   */
  async admit(token: AcceptedToken, call: string, asked: string | undefined): Promise<Principal> {
    const { principal } = token;
    if (!isOfService(token.jti)) {
      if (asked === undefined) return principal;
      throw new DomainError('scope_required', { detail: 'service accounts act as others' });
    }
    const scopes = token.scopes ?? (await this.scopesOf(principal));
    const needed = CALL_SCOPES[call];
    if (needed === undefined || (needed !== null && !scopes.includes(needed)))
      throw new DomainError('scope_required', {
        who: principal,
        detail: needed === undefined ? 'not a call of service accounts' : `scope ${needed}`,
      });
    if (asked === undefined) return principal;
    if (!isRoomCall(call) || !scopes.includes('act_as' satisfies Scope))
      throw new DomainError('scope_required', { who: principal, detail: 'scope act_as' });
    return { ...principal, userId: await this.userOf(principal, asked), actor: principal.userId };
  }

  private async scopesOf({ userId, tenantId }: Principal): Promise<string[]> {
    const [row] = await this.database.hot<{ scopes: string[] }>(
      'service_scopes',
      `SELECT scopes FROM users WHERE id = $1 AND tenant_id = $2 AND role = 'service'`,
      [userId, tenantId],
    );
    return row?.scopes ?? [];
  }

  /** Never a service account, nor anybody who is suspended. */
  private async userOf({ tenantId }: Principal, asked: string): Promise<string> {
    const external = asked.startsWith(EXTERNAL) ? asked.slice(EXTERNAL.length) : null;
    const [row] =
      external === null && !isId(asked)
        ? []
        : await this.database.hot<{ id: string }>(
            'act_as',
            `SELECT id FROM users WHERE tenant_id = $1 AND role IN ('member', 'admin') AND state = 'active'
               AND (id = $2::uuid OR external_id = $3)`,
            [tenantId, external === null ? asked : null, external],
          );
    if (row === undefined) throw new DomainError('not_found', { detail: 'no such user to act as' });
    return row.id;
  }
}
