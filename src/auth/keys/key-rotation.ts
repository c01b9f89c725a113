/**
 * Rotation by age (KEY_ROTATION_DAYS): every node looks at its start and every hour, one of them
 * acts.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import { systemTenantId } from '../../platform/stores/find-tenant.js';
import { KeyChanges } from './key-changes.js';

const LOOK_EVERY_MS = 3_600_000;

@Injectable()
export class KeyRotation implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(KeyRotation.name);
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly changes: KeyChanges,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.keyRotationDays === Infinity) return;
    const look = () => {
      this.running = this.look().catch((error: Error) =>
        this.logger.warn({ msg: 'rotation by age failed', error: error.message }),
      );
    };
    look();
    this.timer = setInterval(look, LOOK_EVERY_MS).unref();
  }

  private async look(): Promise<void> {
    if (!(await this.changes.isDue())) return;
    const { result } = await this.changes.rotateIfDue(await systemTenantId(this.database));
    if (result !== null)
      this.logger.log({ msg: 'the signing key is old, announced its successor', kid: result });
  }

  async onModuleDestroy(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
  }
}
