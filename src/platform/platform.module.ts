import { Global, Module } from '@nestjs/common';
import { ClientAddresses } from './http/client-address.js';
import { Config } from './config/config.js';
import { Database } from './stores/database.js';
import { Installation } from './stores/installation.js';
import { Mailer } from './mail/mailer.js';
import { Metrics } from './metrics.js';
import { NodeIdentity } from './node-identity.js';
import { PostgresAccess } from './stores/postgres-access.js';
import { RedisMessages } from './stores/redis/redis-messages.js';
import { RedisNames } from './stores/redis/redis-names.js';
import { RedisTrouble } from './stores/redis/redis-trouble.js';
import { RedisConnections } from './stores/redis/redis.js';
import { Tls } from './tls.js';

/**
 * Providers that every module may use. The configuration is parsed by main.ts before anything is
 * built.
 */
@Global()
@Module({})
export class PlatformModule {
  static with(config: Config, postgres: PostgresAccess) {
    return {
      module: PlatformModule,
      providers: [
        { provide: Config, useValue: config },
        ClientAddresses,
        { provide: PostgresAccess, useValue: postgres },
        Database,
        {
          provide: Installation,
          inject: [Database],
          useFactory: (database: Database) => Installation.of(database),
        },
        RedisNames,
        RedisTrouble,
        RedisMessages,
        RedisConnections,
        Metrics,
        Mailer,
        NodeIdentity,
        Tls,
      ],
      exports: [
        Config,
        ClientAddresses,
        Database,
        RedisNames,
        RedisTrouble,
        RedisMessages,
        RedisConnections,
        Metrics,
        Mailer,
        NodeIdentity,
        Tls,
      ],
    };
  }
}
