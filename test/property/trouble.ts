/**
 * Trouble of the bus while rooms are busy: Redis held up, its connections cut, its process stopped;
 * a node that stands still.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Cluster } from '../support/node-process.js';
import type { Random } from './script.js';

export class Trouble {
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  readonly done = new Map<string, number>();

  private constructor(
    private readonly redis: Redis,
    /** 0: not told, then it is never stopped. */
    private readonly redisPid: number,
    private readonly cluster: Cluster,
    private readonly random: Random,
  ) {}

  static async begin(cluster: Cluster, random: Random): Promise<Trouble> {
    const redis = new Redis(cluster.redisUrl, {
      maxRetriesPerRequest: null,
      retryStrategy: () => 50,
    });
    redis.on('error', () => undefined);
    const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1] ?? 0);
    const trouble = new Trouble(redis, pid, cluster, random);
    trouble.running = trouble.run();
    return trouble;
  }

  async end(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.redis.disconnect();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await sleep(20 + this.random(150));
      const what = this.random.of([
        'pause',
        'pause',
        'cut',
        'cut pubsub',
        'stop',
        'stall',
      ] as const);
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
      await this.make(what).catch(() => undefined);
    }
  }

  private async make(what: 'pause' | 'cut' | 'cut pubsub' | 'stop' | 'stall'): Promise<void> {
    switch (what) {
      case 'pause':
        return void (await this.redis.call(
          'CLIENT',
          'PAUSE',
          String(20 + this.random(200)),
          'ALL',
        ));
      case 'cut':
        return void (await this.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      case 'cut pubsub':
        return void (await this.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      case 'stop':
        return this.redisPid === 0
          ? undefined
          : this.freeze((signal) => process.kill(this.redisPid, signal), 50 + this.random(500));
      case 'stall':
        return this.freeze(this.random.of(this.cluster.nodes).kill, 50 + this.random(350));
    }
  }

  private async freeze(kill: (signal: NodeJS.Signals) => void, ms: number): Promise<void> {
    try {
      kill('SIGSTOP');
      await sleep(ms);
    } finally {
      kill('SIGCONT');
    }
  }
}
