import { Global, Module } from '@nestjs/common';
import { ClientAddresses } from './client-address.js';
import { Config } from './config.js';
import { Database } from './database.js';
import { Installation } from './installation.js';
import { Metrics } from './metrics.js';
import { NodeIdentity } from './node-identity.js';
import { PostgresAccess } from './postgres-access.js';
import { RedisMessages } from './redis-messages.js';
import { RedisNames } from './redis-names.js';
import { RedisTrouble } from './redis-trouble.js';
import { RedisConnections } from './redis.js';
import { Tls } from './tls.js';

/** What every module may use. The configuration is parsed by main.ts before anything is built. */
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
        { provide: Installation, inject: [Database], useFactory: (database: Database) => Installation.of(database) },
        RedisNames,
        RedisTrouble,
        RedisMessages,
        RedisConnections,
        Metrics,
        NodeIdentity,
        Tls,
      ],
      exports: [Config, ClientAddresses, Database, RedisNames, RedisTrouble, RedisMessages, RedisConnections, Metrics, NodeIdentity, Tls],
    };
  }
}
