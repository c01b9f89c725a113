/**
 * `npm run keys -- list|rotate|withdraw <kid>`: the same changes as the server's, from a shell.
 * Needs the environment of a node (DATABASE_URL, SECRET_KEY, and SIGNING_ALG and
 * KEY_ANNOUNCE_SECONDS where they are set). It asks nothing of Redis: nodes find the change in
 * Postgres with their next lease round.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Receipts } from '../../authority/receipts.js';
import { authorityWithoutRedis, configWithoutRedis } from '../../authority/without-redis.js';
import { ConfigError } from '../../platform/config/config.js';
import type { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { SigningKey } from '../../platform/generated/client.js';
import { systemTenantId } from '../../platform/stores/find-tenant.js';
import { KeyChanges } from './key-changes.js';
import { keyState } from './signing-keys.js';

const USAGE = 'Usage: npm run keys -- list | rotate | withdraw <kid>';

@Module({})
class KeysModule {
  static with(config: Config) {
    return {
      module: KeysModule,
      providers: [...authorityWithoutRedis(config), AuditTrail, KeyChanges],
    };
  }
}

async function main([command, kid, ...rest]: string[]): Promise<void> {
  const known =
    rest.length === 0 &&
    (command === 'withdraw'
      ? kid !== undefined
      : kid === undefined && (command === 'list' || command === 'rotate'));
  if (!known) throw new Error(USAGE);
  const config = configWithoutRedis();
  if (command === 'list') return list(config);
  const app = await NestFactory.createApplicationContext(KeysModule.with(config), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    const [database, changes, receipts] = [
      app.get(Database),
      app.get(KeyChanges),
      app.get(Receipts),
    ];
    if (command === 'rotate') await rotate(database, changes, receipts);
    else await withdraw(database, changes, receipts, kid!);
  } finally {
    await app.close();
  }
}

async function list(config: Config): Promise<void> {
  const database = new Database(config);
  try {
    const rows = await database.prisma.signingKey.findMany({ orderBy: { signsFrom: 'asc' } });
    const lines = rows.map((row) => [
      row.kid,
      row.alg,
      keyState(row),
      timeOf(row.createdAt),
      signsFrom(row),
      timeOf(row.retiredAt),
      timeOf(row.withdrawnAt),
    ]);
    for (const line of [
      ['kid', 'alg', 'state', 'created', 'signs from', 'retires', 'withdrawn'],
      ...lines,
    ])
      console.log(line.join('\t'));
  } finally {
    await database.onApplicationShutdown();
  }
}

/** The judge is whoever holds DATABASE_URL and SECRET_KEY. */
const nobodyAsks = async (): Promise<void> => undefined;

async function rotate(database: Database, changes: KeyChanges, receipts: Receipts): Promise<void> {
  const { result, pending } = await changes.rotate(nobodyAsks, await systemTenantId(database), {
    by: 'command',
  });
  const key = await database.prisma.signingKey.findUniqueOrThrow({ where: { kid: result } });
  const receipt = await receipts.waitForReceipt(pending);
  console.log(
    `Announced ${key.alg} key ${key.kid}; it signs from ${timeOf(key.signsFrom)}. ${knownBy(receipt)}`,
  );
}

async function withdraw(
  database: Database,
  changes: KeyChanges,
  receipts: Receipts,
  kid: string,
): Promise<void> {
  const { result, pending } = await changes.withdraw(
    kid,
    nobodyAsks,
    await systemTenantId(database),
    { by: 'command' },
  );
  const receipt = await receipts.waitForReceipt(pending);
  console.log(
    `Withdrew ${result.kid}; ${result.successor} signs. Closed ${receipt?.connections_closed ?? 0} connections. ${knownBy(receipt)}`,
  );
  if (receipt?.effective !== true) process.exitCode = 1;
}

const knownBy = (receipt: Awaited<ReturnType<Receipts['waitForReceipt']>>): string =>
  receipt?.effective === true
    ? `Every node (${receipt.nodes.length}) knows.`
    : 'Not every node has confirmed yet.';

const timeOf = (date: Date | null): string => date?.toISOString() ?? '-';
/** The first key of a database signs since ever. */
const signsFrom = ({ signsFrom: from, createdAt }: SigningKey): string =>
  timeOf(from < createdAt ? createdAt : from);

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof DomainError)
    console.error(
      error.code === 'not_found' ? 'There is no such key.' : `${error.code}: ${error.message}`,
    );
  else
    console.error(error instanceof ConfigError || error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
