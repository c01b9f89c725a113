/**
 * A link for a new password to the mailbox of a user. The call is answered before anything is
 * looked up, so neither its answer nor its time shows who exists; the rest happens afterwards, in a
 * bounded line. Operators get no mail: no mailbox opens the whole installation. Nor do users
 * without a password, who sign in by an issuer.
 */
import { Injectable, Logger } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { FairGate } from '../../platform/fair-gate.js';
import type { User } from '../../platform/generated/client.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { Database } from '../../platform/stores/database.js';
import { findTenant } from '../../platform/stores/find-tenant.js';
import { isSystemTenant } from '../../platform/stores/system-tenant.js';
import { RecoveryLimits } from '../limits/recovery-limits.js';
import { linkUrl } from '../links/link-code.js';
import { RESET_SECONDS, createReset } from '../links/password-resets.js';
import { PublicUrl } from '../tokens/public-url.js';
import type { ForgotBody } from './sign-in.schemas.js';

const LINE = { running: 2, perKey: 1, waiting: 100, patienceMs: 30_000 };

@Injectable()
export class ForgottenPassword {
  private readonly logger = new Logger(ForgottenPassword.name);
  private readonly line = new FairGate(LINE);

  constructor(
    private readonly database: Database,
    private readonly mailer: Mailer,
    private readonly limits: RecoveryLimits,
    private readonly publicUrl: PublicUrl,
  ) {}

  async request(body: ForgotBody, ip: string): Promise<void> {
    await this.limits.countAddress(ip);
    if (!this.mailer.isConfigured) return;
    void this.line
      .run(ip, () => this.mail(body))
      .catch((error: Error) =>
        this.logger.warn({ msg: 'a reset was not mailed', error: error.message }),
      );
  }

  private async mail({ tenant: ref, email }: ForgotBody): Promise<void> {
    const tenant = await findTenant(this.database, ref);
    if (tenant === null || tenant.state !== 'active' || isSystemTenant(tenant)) return;
    const where = { tenantId_email: { tenantId: tenant.id, email } };
    const seen = await this.database.prisma.user.findUnique({ where });
    if (seen === null || !getsMail(seen) || !(await this.limits.mayMail(seen.id))) return;
    const url = await this.database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${seen.id}::uuid FOR NO KEY UPDATE`;
      const user = await tx.user.findUniqueOrThrow({ where: { id: seen.id } });
      const made = getsMail(user) ? await createReset(tx, user, { mailedTo: user.email }) : null;
      if (made === null) return null;
      recordAudit(tx, {
        event: 'authn_password_reset_requested',
        tenant: tenant.id,
        user: user.id,
        actor: null,
        detail: { by: 'mail', reset: made.id },
      });
      const link = { code: made.code, tenantId: tenant.id };
      return linkUrl(tx, this.publicUrl.value, 'password', link);
    });
    if (url === null) return;
    this.mailer.send({
      kind: 'password_reset',
      to: seen.email,
      subject: 'Your new password',
      // Nothing in it was chosen by somebody who may have asked for it.
      text: `Somebody asked for a new password for your account at ${this.publicUrl.value}.

To set one, open this link within ${RESET_SECONDS / 60} minutes. It works once, and ends all of your sessions:

${url}

If you did not ask for it, ignore this mail: your password stays as it is.
`,
    });
  }
}

const getsMail = ({ state, role, passwordHash }: User): boolean =>
  state === 'active' && (role === 'member' || role === 'admin') && passwordHash !== null;
