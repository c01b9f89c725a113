/**
 * Sessions of users whom another system knows: its backend signs them in and out here, with the
 * scope `sessions`, and no password of theirs exists.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { Receipts } from '../../authority/receipts.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { User } from '../../platform/generated/client.js';
import { newId } from '../../platform/ids.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { OpenSession } from '../sign-in/open-session.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import type { ServiceRevocation, ServiceSessionBody } from './service.schemas.js';

/** Members and admins; nobody who looks after the installation, and no other backend. */
const PEOPLE = { role: { in: ['member', 'admin'] } };

@Injectable()
export class ServiceSessions {
  constructor(
    private readonly openSession: OpenSession,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
  ) {}

  /** A user of an `external_id` is made at its first use. */
  async open(principal: Principal, body: ServiceSessionBody): Promise<IssuedTokens> {
    const { tenantId } = principal;
    const opened = await this.openSession.commit(tenantId, async (tx) => {
      await lockCaller(tx, principal);
      const user = await userOf(tx, tenantId, body);
      return this.openSession.open(tx, {
        method: 'service',
        // The word of a backend is no password.
        authenticatedAt: null,
        tenantId,
        userId: user.id,
        passwordVersion: user.passwordVersion,
        device: body.device,
        transport: body.transport,
      });
    });
    return this.openSession.issue(opened);
  }

  /** Every session of the user. */
  async revoke(principal: Principal, who: ServiceRevocation, wait: boolean): Promise<Receipt> {
    const { tenantId } = principal;
    const { pending } = await this.log.commit(async (tx) => {
      await lockCaller(tx, principal);
      const user = await known(tx, tenantId, who);
      if (user === null) throw new DomainError('not_found', { detail: 'no such user' });
      const ended = await endSessions(tx, { user: user.id, tenant: tenantId }, 'session_revoked');
      recordAudit(tx, {
        event: 'authn_token_revoked',
        tenant: tenantId,
        user: user.id,
        detail: { target: 'user', by: 'service', sessions: ended.length },
      });
      return { result: ended, events: sessionsEnded(ended, 'session_revoked'), tenant: tenantId };
    });
    return (await this.receipts.waitForReceipt(pending, wait))!;
  }
}

const known = (
  tx: Tx,
  tenantId: string,
  { user, external_id }: ServiceRevocation,
): Promise<User | null> =>
  tx.user.findFirst({
    where: {
      tenantId,
      ...PEOPLE,
      ...(user === undefined ? { externalId: external_id! } : { id: user }),
    },
  });

async function userOf(tx: Tx, tenantId: string, body: ServiceSessionBody): Promise<User> {
  const { external_id: externalId, name } = body;
  const user = await known(tx, tenantId, body);
  if (user !== null) return user;
  if (externalId === undefined) throw new DomainError('not_found', { detail: 'no such user' });
  const id = newId();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO users (id, tenant_id, email, name, external_id)
    VALUES (${id}::uuid, ${tenantId}::uuid, ${`${id}@external.invalid`}, ${name ?? externalId.slice(0, 100)}, ${externalId})
    ON CONFLICT (tenant_id, external_id) WHERE external_id IS NOT NULL DO NOTHING RETURNING id`;
  if (rows[0] !== undefined)
    recordAudit(tx, {
      event: 'user_created',
      tenant: tenantId,
      user: id,
      detail: { role: 'member', by: 'service' },
    });
  // Another call may have made it at the same time.
  return (await known(tx, tenantId, body))!;
}
