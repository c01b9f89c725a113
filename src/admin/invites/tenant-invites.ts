/**
 * Links by which people register in a tenant, also where registration is closed (auth/sign-in/
 * register.ts). Nobody is registered into the tenant of operators.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import {
  createInvite,
  inviteViewOf,
  liveInvites,
  withdrawInvite,
} from '../../auth/links/invites.js';
import type { Withdrawn } from '../../auth/links/invite.schema.js';
import { linkUrl } from '../../auth/links/link-code.js';
import { RecoveryLimits } from '../../auth/limits/recovery-limits.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import type { Invite } from '../../platform/generated/client.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import type {
  CreatedTenantInvite,
  NewTenantInvite,
  TenantInvites,
} from './tenant-invite.schema.js';

@Injectable()
export class TenantInvitations {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly publicUrl: PublicUrl,
    private readonly mailer: Mailer,
    private readonly limits: RecoveryLimits,
  ) {}

  /** An invitation for an address is also mailed there, where mails are sent. */
  async create(
    principal: Principal,
    ref: string,
    input: NewTenantInvite,
  ): Promise<CreatedTenantInvite> {
    const { email } = input;
    const mailed = email !== undefined && this.mailer.isConfigured;
    const made = await this.insert(principal, ref, input, mailed);
    if (mailed)
      this.mailer.send({
        kind: 'invitation',
        to: email,
        subject: 'Your invitation',
        text: `You are invited to register at ${this.publicUrl.value}. Open this link until ${made.expires_at}:

${made.url}
`,
      });
    return { ...made, mailed };
  }

  private insert(
    principal: Principal,
    ref: string,
    { max_uses, expires_in, email }: NewTenantInvite,
    mailed: boolean,
  ): Promise<Omit<CreatedTenantInvite, 'mailed'>> {
    return this.change(principal, ref, async (tx, tenantId) => {
      if (mailed) await this.limits.countInvitation(tenantId);
      const { code, invite } = await createInvite(tx, {
        tenantId,
        roomId: null,
        role: null,
        email: email ?? null,
        maxUses: max_uses ?? (email === undefined ? null : 1),
        seconds: expires_in,
        createdBy: principal.userId,
      });
      recordAudit(tx, {
        event: 'invite_created',
        tenant: tenantId,
        detail: { invite: invite.id, of_an_address: email !== undefined },
      });
      const url = await linkUrl(tx, this.publicUrl.value, 'registration', { code, tenantId });
      return { code: code.text, url, ...viewOf(invite) };
    });
  }

  async list(principal: Principal, ref: string): Promise<TenantInvites> {
    const tenantId = await this.admin.tenantId(ref);
    await this.admin.require(principal, 'list_invites', { tenantId });
    const tenant = found(tenantId, 'tenant');
    this.admin.recordLook('invites', { id: tenant, tenant });
    const items = await liveInvites(this.database.prisma, { tenantId: tenant, roomId: null });
    return { items: items.map(viewOf), next_cursor: null };
  }

  withdraw(principal: Principal, ref: string, code: string): Promise<Withdrawn> {
    return this.change(principal, ref, async (tx, tenantId) => {
      const id = await withdrawInvite(tx, { tenantId, roomId: null }, code);
      recordAudit(tx, { event: 'invite_withdrawn', tenant: tenantId, detail: { invite: id } });
      return { id };
    });
  }

  private async change<T>(
    principal: Principal,
    ref: string,
    work: (tx: Tx, tenantId: string) => Promise<T>,
  ): Promise<T> {
    const tenantId = await this.admin.tenantId(ref);
    await this.admin.require(principal, 'change_invites', { tenantId });
    const tenant = found(tenantId, 'tenant');
    return this.database.transaction(async (tx) => {
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'change_invites', { tenantId });
      return work(tx, tenant);
    });
  }
}

const viewOf = (invite: Invite) => ({ ...inviteViewOf(invite), email: invite.email });
