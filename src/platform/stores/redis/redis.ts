/**
 * Redis is speed only: whoever uses it must have an answer for "it is away". Commands fail fast
 * instead of queueing. Blocking readers and subscribers get connections of their own. All of them
 * are to reach one server: when a new connection shows that it is another one than before, the
 * older connections are made again.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { CommonRedisOptions, Redis } from 'ioredis';
import { monotonicMs } from '../../clock.js';
import { Config } from '../../config/config.js';
import { NodeIdentity } from '../../node-identity.js';
import { RedisNames } from './redis-names.js';
import { probe } from './redis-probe.js';
import { RedisTrouble } from './redis-trouble.js';
import { WatchedRedis } from './watched-redis.js';

/**
 * A connection that owes an answer for that long is dead, whatever its socket says; a blocking read
 * waits less.
 */
const SILENT_MS = 2_500;
/** A proxy that spreads connections over several servers must not make us knock without end. */
const MOVED_EVERY_MS = 30_000;
const READER = {
  lazyConnect: true,
  connectTimeout: 2_000,
  socketTimeout: SILENT_MS,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // Ours subscribe again at `ready`; a promise that ioredis makes itself and nobody waits for ends
  // the process when it fails.
  autoResubscribe: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
} satisfies CommonRedisOptions;
/** Readers block on purpose; commands answer soon or fail. */
const COMMANDS = { ...READER, commandTimeout: 500 } satisfies CommonRedisOptions;

@Injectable()
export class RedisConnections implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RedisConnections.name);
  private readonly all = new Map<
    string,
    { redis: WatchedRedis; runId: string | null; movedMs: number }
  >();
  readonly commands: Redis;

  constructor(
    private readonly config: Config,
    private readonly names: RedisNames,
    private readonly identity: NodeIdentity,
    private readonly trouble: RedisTrouble,
  ) {
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

  /**
   * A connection for subscriptions; the caller connects it. It only listens, so it is probed:
   * silence alone proves nothing.
   */
  subscriber(name: string, { sharded }: { sharded: boolean }): Redis {
    const redis = this.open(READER, name);
    probe(redis, {
      channel: this.names.probe(this.identity.id, name),
      sharded,
      publish: async (channel) =>
        (await this.attempt('probe', (commands) =>
          sharded ? commands.spublish(channel, '') : commands.publish(channel, ''),
        )) !== undefined,
      onDeaf: () => this.trouble.error(name, 'deaf', 'a probe did not come back, connecting again'),
    });
    return redis;
  }

  /**
   * Runs `work` if Redis answers; `undefined` if not. Failed commands are counted where they fail.
   */
  async attempt<T>(what: string, work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (this.commands.status !== 'ready') return undefined;
    try {
      return await work(this.commands);
    } catch (error) {
      this.logger.debug({ msg: 'Redis did not answer', what, error: (error as Error).message });
      return undefined;
    }
  }

  /** For `readyz`: a detail, nothing rests on it. */
  get health(): { connected: boolean; recent_error?: string } {
    const { recent } = this.trouble;
    return {
      connected: this.commands.status === 'ready',
      ...(recent === null ? {} : { recent_error: recent }),
    };
  }

  private async evictionPolicy(): Promise<string | undefined> {
    const info = await this.attempt('info', (redis) => redis.info('memory'));
    return info?.match(/maxmemory_policy:(\S+)/)?.[1];
  }

  private open(options: typeof READER, name: string): WatchedRedis {
    const redis = new WatchedRedis(this.config.redisUrl, options, name, this.trouble);
    let down = false;
    redis.on('error', () => (down = true));
    redis.on('ready', () => {
      if (down) this.logger.log({ msg: 'Redis connection restored', connection: name });
      down = false;
      void this.compareServers(name);
    });
    this.all.set(name, { redis, runId: null, movedMs: -Infinity });
    return redis;
  }

  /**
   * The newest connection shows where the address leads now; one that ended elsewhere serves
   * nobody.
   */
  private async compareServers(name: string): Promise<void> {
    const newest = this.all.get(name)!;
    newest.runId = null;
    const info = await newest.redis.info('server').catch(() => '');
    newest.runId = /run_id:(\S+)/.exec(info)?.[1] ?? null;
    for (const [other, connection] of this.all) {
      const { redis, runId, movedMs } = connection;
      if (
        runId === null ||
        newest.runId === null ||
        runId === newest.runId ||
        redis.status !== 'ready'
      )
        continue;
      if (monotonicMs() - movedMs < MOVED_EVERY_MS) continue;
      connection.movedMs = monotonicMs();
      this.logger.warn({ msg: 'Redis is another server now, connecting again', connection: other });
      redis.disconnect(true);
    }
  }

  onApplicationShutdown(): void {
    for (const { redis } of this.all.values()) redis.disconnect();
  }
}
