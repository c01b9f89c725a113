import { Global, Module } from '@nestjs/common';
import { Config } from './config.js';
import { Database } from './database.js';
import { Metrics } from './metrics.js';
import { NodeIdentity } from './node-identity.js';
import { RedisConnections } from './redis.js';
import { Tls } from './tls.js';

/** What every module may use. The configuration is parsed by main.ts before anything is built. */
@Global()
@Module({})
export class PlatformModule {
  static with(config: Config) {
    return {
      module: PlatformModule,
      providers: [{ provide: Config, useValue: config }, Database, RedisConnections, Metrics, NodeIdentity, Tls],
      exports: [Config, Database, RedisConnections, Metrics, NodeIdentity, Tls],
    };
  }
}
