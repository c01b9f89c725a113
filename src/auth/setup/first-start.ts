/**
 * Decisions of the first start of a cluster, read by every later one: public URL, signing key,
 * operator. Nodes may start together, so it is decided under the lock that migration takes too,
 * after migration. A decision stays: a later start needs no lock to see it.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { LOCKS } from '../../platform/stores/advisory-locks.js';
import { Database } from '../../platform/stores/database.js';
import { BootstrapOperator } from './bootstrap-operator.js';
import { PublicUrl } from '../tokens/public-url.js';
import { SigningKeys } from '../keys/signing-keys.js';

@Injectable()
export class FirstStart implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly publicUrl: PublicUrl,
    private readonly keys: SigningKeys,
    private readonly operator: BootstrapOperator,
  ) {}

  async onModuleInit(): Promise<void> {
    if (
      (await this.publicUrl.isSettled()) &&
      (await this.keys.isSettled()) &&
      (await this.operator.isSettled())
    )
      return;
    await this.database.transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCKS.migration}::bigint)`;
      await this.publicUrl.initialise(tx);
      await this.keys.start(tx);
      await this.operator.initialise(tx);
    });
  }
}
