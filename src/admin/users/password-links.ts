/** Links for a new password that an operator or admin hands to the user. */
import { Injectable } from '@nestjs/common';
import * as z from 'zod';
import { recordAudit } from '../../audit/record-audit.js';
import { linkUrl } from '../../auth/links/link-code.js';
import { RESET_SECONDS, createReset } from '../../auth/links/password-resets.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import type { User } from '../../platform/generated/client.js';
import { Database } from '../../platform/stores/database.js';
import type { AdminTarget } from '../../policy/decide-admin.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';

export const passwordLinkSchema = z
  .object({
    url: z.url().meta({ description: 'shown once; the token is in its fragment' }),
    expires_in: z.int().meta({ description: 'seconds' }),
  })
  .meta({ id: 'PasswordLink' });
export type PasswordLink = z.infer<typeof passwordLinkSchema>;

@Injectable()
export class PasswordLinks {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly publicUrl: PublicUrl,
  ) {}

  async create(principal: Principal, userId: string): Promise<PasswordLink> {
    const seen = await this.database.prisma.user.findUnique({ where: { id: userId } });
    await this.admin.require(principal, 'reset_password', targetOf(seen));
    found(seen, 'user');
    return this.database.transaction(async (tx) => {
      const { role } = await lockCaller(tx, principal, 'change', userId);
      const user = await tx.user.findUnique({ where: { id: userId } });
      this.admin.authorize(principal, role, 'reset_password', targetOf(user));
      const made = await createReset(tx, found(user, 'user'), { createdBy: principal.userId });
      const { code, id } = found(made, 'link');
      recordAudit(tx, {
        event: 'authn_password_reset_requested',
        tenant: user!.tenantId,
        user: userId,
        detail: { by: 'admin', reset: id },
      });
      const { tenantId } = user!;
      const url = await linkUrl(tx, this.publicUrl.value, 'password', { code, tenantId });
      return { url, expires_in: RESET_SECONDS };
    });
  }
}

const targetOf = (user: User | null): AdminTarget =>
  user === null
    ? { tenantId: null }
    : {
        tenantId: user.tenantId,
        userId: user.id,
        userRole: user.role as NonNullable<AdminTarget['userRole']>,
      };
