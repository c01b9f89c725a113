/**
 * `npm run restore-fence`: what has to be done after a backup was restored (docs/backup.md), with
 * the environment of a node (DATABASE_URL, SECRET_KEY). Nodes may run or not.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditTrail } from '../audit/audit-trail.js';
import type { PendingReceipt } from '../authority/authority-log.js';
import { Receipts } from '../authority/receipts.js';
import type { Receipt } from '../authority/receipt.schema.js';
import { authorityWithoutRedis, configWithoutRedis } from '../authority/without-redis.js';
import type { Config } from '../platform/config/config.js';
import { DomainError } from '../platform/errors.js';
import { PostgresAccess } from '../platform/stores/postgres-access.js';
import { migrate } from '../platform/stores/migrate.js';
import { EndAgain } from './end-again.js';
import { RestoreFence } from './restore-fence.js';

@Module({})
class RestoreFenceModule {
  static with(config: Config) {
    return {
      module: RestoreFenceModule,
      providers: [...authorityWithoutRedis(config), AuditTrail, EndAgain, RestoreFence],
    };
  }
}

async function main(args: string[]): Promise<void> {
  if (args.length > 0) throw new Error('Usage: npm run restore-fence');
  const config = configWithoutRedis();
  // The backup may be of an earlier version.
  if (config.autoMigrate) await migrate(new PostgresAccess(config.databaseUrl), console.log);
  const app = await NestFactory.createApplicationContext(RestoreFenceModule.with(config), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    const { result: from, pending } = await app.get(RestoreFence).run();
    const { history, sessions } = pending as PendingReceipt;
    console.log(
      `Ended ${sessions} ${sessions === 1 ? 'session' : 'sessions'}: everybody has to sign in again.`,
    );
    console.log(
      `The authority log goes on as history ${history}. History ${from.history} ends with event ${from.n}; whatever came after it counts for nothing.`,
    );
    const receipt = (await app.get(Receipts).waitForReceipt(pending))!;
    console.log(knownBy(receipt));
    if (!receipt.effective) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

function knownBy({ effective, nodes }: Receipt): string {
  if (!effective)
    return 'Not every node has confirmed yet: stop those that still run on the former database, and run this once more.';
  const running = nodes.filter(({ state }) => state === 'confirmed').length;
  return running === 0
    ? 'No node is running: nodes can be started now.'
    : `Every running node (${running}) knows.`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof DomainError) console.error(`${error.code}: ${error.message}`);
  else console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
