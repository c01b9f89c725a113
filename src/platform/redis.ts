/**
 * Redis is speed only: whoever uses it must have an answer for "it is away". Commands fail fast instead of queueing.
 * Blocking readers and subscribers get connections of their own.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { Config } from './config.js';

/** A connection that owes an answer for that long is dead, whatever its socket says; a blocking read waits less. */
const SILENT_MS = 2_500;
const PING_MS = 1_000;
const READER = {
  lazyConnect: true,
  connectTimeout: 2_000,
  socketTimeout: SILENT_MS,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // Ours subscribe again at `ready`; a promise that ioredis makes itself and nobody waits for ends the process when it fails.
  autoResubscribe: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
} satisfies RedisOptions;
/** Readers block on purpose; commands answer soon or fail. */
const COMMANDS = { ...READER, commandTimeout: 500 } satisfies RedisOptions;

@Injectable()
export class RedisConnections implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RedisConnections.name);
  private readonly all: Redis[] = [];
  readonly commands: Redis;

  constructor(private readonly config: Config) {
    this.commands = this.open(COMMANDS, 'commands');
  }

  /** Waits shortly for Redis; its absence does not stop the start. */
  async onModuleInit(): Promise<void> {
    await this.commands.connect().catch(() => undefined);
    const policy = await this.evictionPolicy();
    if (policy !== undefined && policy !== 'noeviction') {
      this.logger.error({ msg: 'Redis may evict keys: set maxmemory-policy noeviction', policy });
    }
  }

  /** A connection for blocking reads; the caller connects it. */
  reader(name: string): Redis {
    return this.open(READER, name);
  }

  /** A connection for subscriptions; the caller connects it. It only listens, so it is asked: silence alone proves nothing. */
  subscriber(name: string): Redis {
    const redis = this.open(READER, name);
    const timer = setInterval(() => {
      if (redis.status === 'ready') void redis.ping().catch(() => undefined);
    }, PING_MS);
    timer.unref();
    redis.on('end', () => clearInterval(timer));
    return redis;
  }

  /** Runs `work` if Redis answers; `undefined` and a log line at debug level if not. */
  async attempt<T>(what: string, work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (this.commands.status !== 'ready') return undefined;
    try {
      return await work(this.commands);
    } catch (error) {
      this.logger.debug({ msg: 'Redis did not answer', what, error: (error as Error).message });
      return undefined;
    }
  }

  private async evictionPolicy(): Promise<string | undefined> {
    const info = await this.attempt('info', (redis) => redis.info('memory'));
    return info?.match(/maxmemory_policy:(\S+)/)?.[1];
  }

  private open(options: typeof READER, name: string): Redis {
    const redis = new Redis(this.config.redisUrl, { ...options, connectionName: `wardroom-${name}` });
    let down = false;
    redis.on('error', (error: Error) => {
      if (!down) this.logger.warn({ msg: 'Redis connection failed', connection: name, error: error.message });
      down = true;
    });
    redis.on('ready', () => {
      if (down) this.logger.log({ msg: 'Redis connection restored', connection: name });
      down = false;
    });
    this.all.push(redis);
    return redis;
  }

  onApplicationShutdown(): void {
    for (const redis of this.all) redis.disconnect();
  }
}
