/** One gateway node: configuration -> Postgres -> migration -> app -> adapter -> listen -> drain on signal. */
import { stopWith } from './platform/stop-signals.js';
import 'reflect-metadata';
import v8 from 'node:v8';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { AllowedOrigins } from './auth/allowed-origins.js';
import { Drain } from './gateway/drain.js';
import { WardroomWsAdapter } from './gateway/ws.adapter.js';
import { OPERATIONS } from './operator/operations.js';
import { Config, ConfigError } from './platform/config.js';
import { close, listen, setUpHttp } from './platform/http.js';
import { serveInternally } from './platform/internal-server.js';
import { NestLog, createLog } from './platform/log.js';
import { migrate, requireMigrated } from './platform/migrate.js';
import { PostgresAccess, PostgresUnfit } from './platform/postgres-access.js';
import { readTlsPair } from './platform/tls-pair.js';
import { tlsOptions } from './platform/tls.js';
import { TRY_OPERATIONS } from './try-out/try-out.operations.js';
import { TryOut } from './try-out/try-out.js';
import { serveWeb } from './web/web-pages.js';

async function main(): Promise<void> {
  const config = Config.parse(process.env);
  const log = createLog(config.logLevel);
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'uncaught exception');
    process.exit(1);
  });
  for (const line of Config.misspelt(process.env)) log.warn(line);
  if (config.allowInsecureHttp) log.warn('ALLOW_INSECURE_HTTP is on: over plain HTTP whoever is on the way reads every password and token');
  const postgres = new PostgresAccess(config.databaseUrl);
  const { pooled, schema } = await postgres.find();
  log.info({ pooled, schema }, 'Postgres is fit');
  if (config.autoMigrate) await migrate(postgres, (line) => log.info(line));
  else await requireMigrated(postgres);

  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config, postgres), {
    logger: new NestLog(log),
    bodyParser: false,
    abortOnError: false,
    ...(config.tlsFiles === null ? {} : { httpsOptions: tlsOptions(readTlsPair(config.tlsFiles)) }),
  });
  const origins = app.get(AllowedOrigins);
  const operations = config.tryPage ? [...OPERATIONS, ...TRY_OPERATIONS] : OPERATIONS;
  setUpHttp(app, config, { operations, pages: () => serveWeb(app, config), allowsOrigin: (origin) => origins.allows(origin) });
  app.useWebSocketAdapter(new WardroomWsAdapter(app));
  await listen(app, config);
  stopWith((signal) => void stop(signal));
  const internal = await serveInternally(app, config, config.tryPage ? app.get(TryOut).internalRoutes() : undefined);
  tuneForConnections();
  log.info({ url: await app.getUrl() }, 'listening');

  async function stop(signal: string): Promise<void> {
    log.info({ signal }, 'stopping');
    try {
      await app.get(Drain).run();
      internal?.close();
      await close(app);
      process.exit(0);
    } catch (error) {
      log.error({ error }, 'the stop was not clean');
      process.exit(1);
    }
  }
}

/**
 * For a server of many connections, once its start is over, which runs most of its code once.
 *
 * Who comes up is met by thousands at once, and what serves them is the same code every time. The V8 of Node 20 lets a function run
 * 132 KB of bytecode before it thinks of optimizing it; with a quarter of that a connect costs 14 % less, and nothing
 * else changes (bench/connect-storm.mjs). Later versions have another compiler in between and know no such number.
 *
 * What thousands of connections keep is taken for what the same lines allocate later for each message: that would begin in old
 * space, and hold there what it points to until a full collection (ADR 0015).
 */
function tuneForConnections(): void {
  if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--interrupt-budget=33000');
  v8.setFlagsFromString('--no-allocation-site-pretenuring');
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) process.stderr.write(`${[error.message, ...Config.misspelt(process.env)].join('\n  ')}\n`);
  else if (error instanceof PostgresUnfit) process.stderr.write(`${error.message}\n`);
  else createLog('fatal').fatal({ error }, 'the node did not start');
  process.exit(1);
});
