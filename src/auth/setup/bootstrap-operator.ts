/**
 * The first operator, in tenant `system`, from BOOTSTRAP_OPERATOR_*; made when there is none and
 * never touched again.
 */
import { Injectable, Logger } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { newId } from '../../platform/ids.js';
import { SYSTEM_TENANT } from '../../platform/stores/system-tenant.js';
import { Passwords } from '../sign-in/passwords.js';

@Injectable()
export class BootstrapOperator {
  private readonly logger = new Logger(BootstrapOperator.name);

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly passwords: Passwords,
  ) {}

  /** At start: true when there is one, or none is wanted. */
  async isSettled(): Promise<boolean> {
    if (this.config.bootstrapOperator === null) return true;
    return (
      (
        await this.database.hot(
          'any_operator',
          `SELECT FROM users WHERE role = 'operator' LIMIT 1`,
          [],
        )
      ).length > 0
    );
  }

  /** Else, under the lock. */
  async initialise(tx: Tx): Promise<void> {
    const wanted = this.config.bootstrapOperator;
    if (wanted === null || (await tx.user.count({ where: { role: 'operator' } })) > 0) return;
    const made = await tx.tenant.createMany({
      data: [{ id: newId(), ...SYSTEM_TENANT }],
      skipDuplicates: true,
    });
    const tenant = await tx.tenant.findUniqueOrThrow({ where: { slug: SYSTEM_TENANT.slug } });
    const passwordHash = await this.passwords.hash(wanted.password);
    const id = newId();
    await tx.user.create({
      data: {
        id,
        tenantId: tenant.id,
        email: wanted.email,
        name: 'Operator',
        role: 'operator',
        passwordHash,
      },
    });
    if (made.count > 0)
      recordAudit(tx, {
        event: 'tenant_created',
        tenant: tenant.id,
        detail: { slug: SYSTEM_TENANT.slug },
      });
    recordAudit(tx, {
      event: 'user_created',
      tenant: tenant.id,
      user: id,
      detail: { role: 'operator', by: 'bootstrap' },
    });
    this.logger.log({ msg: 'created the first operator', tenant: SYSTEM_TENANT.slug });
  }
}
