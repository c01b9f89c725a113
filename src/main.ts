/**
 * One gateway node: configuration -> Postgres -> migration -> app -> adapter -> listen -> drain on
 * signal.
 */
import { stopWith } from './platform/stop-signals.js';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { AllowedOrigins } from './auth/guard/allowed-origins.js';
import { Drain } from './gateway/handshake/drain.js';
import { WardroomWsAdapter } from './gateway/handshake/ws.adapter.js';
import { OPERATIONS } from './api-docs/operations.js';
import { Config, ConfigError } from './platform/config/config.js';
import { Database } from './platform/stores/database.js';
import { close, listen, setUpHttp } from './platform/http/http.js';
import { serveInternally } from './platform/http/internal-server.js';
import { operationsOf } from './platform/http/operation.js';
import { NestLog, createLog } from './platform/log/log.js';
import { migrate, requireMigrated } from './platform/stores/migrate.js';
import { PostgresAccess, PostgresUnfit } from './platform/stores/postgres-access.js';
import { readTlsPair } from './platform/config/tls-pair.js';
import { tlsOptions } from './platform/tls.js';
import { TryOutController } from './try-out/try-out.controller.js';
import { TryOut } from './try-out/try-out.js';
import { isInternalPage, serveWeb } from './web/web-pages.js';

async function main(): Promise<void> {
  const config = Config.parse(process.env);
  const log = createLog(config.logLevel);
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'uncaught exception');
    process.exit(1);
  });
  for (const line of Config.misspelt(process.env)) log.warn(line);
  if (config.allowInsecureHttp)
    log.warn(
      'ALLOW_INSECURE_HTTP is on: over plain HTTP whoever is on the way reads every password and token',
    );
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
  const operations = config.tryPage
    ? [...OPERATIONS, ...operationsOf(TryOutController)]
    : OPERATIONS;
  setUpHttp(app, config, {
    operations,
    pages: () => serveWeb(app, config),
    allowsOrigin: (origin) => origins.allows(origin),
  });
  app.useWebSocketAdapter(new WardroomWsAdapter(app));
  await app.get(Database).warmUp();
  await listen(app, config);
  stopWith((signal) => void stop(signal));
  const internal = await serveInternally(
    app,
    config,
    config.tryPage ? app.get(TryOut).internalRoutes() : undefined,
    isInternalPage(config),
  );
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

main().catch((error: unknown) => {
  if (error instanceof ConfigError)
    process.stderr.write(`${[error.message, ...Config.misspelt(process.env)].join('\n  ')}\n`);
  else if (error instanceof PostgresUnfit) process.stderr.write(`${error.message}\n`);
  else createLog('fatal').fatal({ error }, 'the node did not start');
  process.exit(1);
});
