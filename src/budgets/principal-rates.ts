/**
 * Rates of a principal: all connections and REST calls of a user together. A node spends from
 * buckets in its memory, so a message asks no store; once a second it reports to Redis the users
 * who spent over a tenth of a rate, and reads back what the whole cluster has left for them. While
 * Redis is away a node gives its share of the rate. Redis can only make it give less.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { RedisNames } from '../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../platform/stores/redis/redis.js';
import { PRINCIPAL_BUCKETS } from './budgets.js';
import type { PrincipalBucket } from './budgets.js';
import { BURST_SECONDS, TokenBucket } from './token-bucket.js';

const EXCHANGE_MS = 1_000;
/** Then every bucket is full, here and in Redis. */
const IDLE_ROUNDS = 2 * BURST_SECONDS + 1;
const KEPT_MS = 1_000 * IDLE_ROUNDS;
/**
 * A user who takes less than this part of a rate in a round is not reported: most do, and all nodes
 * together give them little more.
 */
const LITTLE = 0.1;
const KEYS_IN_ONE_CALL = 200;
const NODES_ASKED_EVERY_MS = 5_000;
const SERVING = `SELECT count(*)::integer AS n FROM nodes WHERE left_at IS NULL AND at > clock_timestamp() - interval '31 seconds'`;

/**
 * One shared bucket a key, as `tokens milliseconds`: taken from first, then filled, so that a node
 * which is alone is never told less than it knows. A bucket that is not there begins where the
 * node's own stands. Answers what is left of each.
 */
const TAKE = `
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local levels = {}
for i, key in ipairs(KEYS) do
  local rate, taken, own = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local burst = rate * ${BURST_SECONDS}
  local tokens, at = string.match(redis.call('GET', key) or '', '^(%-?[%d.]+) (%d+)$')
  local level = own
  if tonumber(tokens) then level = tonumber(tokens) - taken + math.max(0, ms - tonumber(at)) * rate / 1000 end
  level = math.max(-burst, math.min(burst, level))
  redis.call('SET', key, string.format('%.3f %d', level, ms), 'PX', ${KEPT_MS})
  levels[i] = string.format('%.3f', level)
end
return levels`;

const NAMES = Object.keys(PRINCIPAL_BUCKETS) as PrincipalBucket[];

/** The rates of one user on this node. A holder of it asks for another once it is forgotten. */
export class Rates {
  forgotten = false;
  active = false;
  idleRounds = 0;
  readonly publish: TokenBucket;
  readonly signal: TokenBucket;
  readonly subscribe: TokenBucket;
  readonly call: TokenBucket;

  constructor(
    readonly user: string,
    config: Config,
    nowMs: number,
  ) {
    this.publish = new TokenBucket(config.publishRate, nowMs);
    this.signal = new TokenBucket(config.signalRate, nowMs);
    this.subscribe = new TokenBucket(config.subscribeRate, nowMs);
    this.call = new TokenBucket(config.callRate, nowMs);
  }
}

@Injectable()
export class PrincipalRates implements OnModuleInit, OnModuleDestroy {
  private readonly all = new Map<string, Rates>();
  private readonly perSecond: Record<PrincipalBucket, number>;
  private timer: NodeJS.Timeout | null = null;
  private running = false;
  /** 1 while nodes hear of each other, else one of so many. */
  private share = 1;
  private nodesAskedMs = -Infinity;

  constructor(
    private readonly config: Config,
    private readonly redis: RedisConnections,
    private readonly database: Database,
    private readonly names: RedisNames,
  ) {
    this.perSecond = {
      publish: config.publishRate,
      signal: config.signalRate,
      subscribe: config.subscribeRate,
      call: config.callRate,
    };
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.exchange(), EXCHANGE_MS);
    this.timer.unref();
  }

  of(user: string, nowMs = monotonicMs()): Rates {
    let rates = this.all.get(user);
    if (rates === undefined) this.all.set(user, (rates = new Rates(user, this.config, nowMs)));
    return rates;
  }

  /** Throws `rate_limited` with the time after which there will be enough. */
  spend(rates: Rates, bucket: PrincipalBucket, cost: number, nowMs = monotonicMs()): void {
    const waitMs = rates[bucket].take(nowMs, cost, this.share);
    if (waitMs > 0) throw new DomainError('rate_limited', { retryAfterMs: waitMs });
    rates.active = true;
  }

  private async exchange(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      const told = this.round();
      let heard = true;
      for (let from = 0; from < told.length && heard; from += KEYS_IN_ONE_CALL)
        heard = await this.tell(told.slice(from, from + KEYS_IN_ONE_CALL));
      if (!heard) await this.takeShare();
    } finally {
      this.running = false;
    }
  }

  /** Forgets who has been idle until everything was full, and answers what is worth telling. */
  private round(): Told[] {
    const told: Told[] = [];
    for (const rates of this.all.values()) {
      if (rates.active) {
        rates.active = false;
        rates.idleRounds = 0;
        for (const name of NAMES) {
          const bucket = rates[name];
          if (bucket.untold > this.perSecond[name] * LITTLE)
            told.push({ user: rates.user, name, bucket });
          else bucket.untold = 0;
        }
      } else if ((rates.idleRounds += 1) >= IDLE_ROUNDS) {
        rates.forgotten = true;
        this.all.delete(rates.user);
      }
    }
    return told;
  }

  /** False: Redis is away. */
  private async tell(told: Told[]): Promise<boolean> {
    const nowMs = monotonicMs();
    const keys = told.map(({ user, name }) => this.names.rate(name, user));
    const values = told.flatMap(({ name, bucket }) => [
      this.perSecond[name],
      bucket.untold,
      bucket.levelAt(nowMs),
    ]);
    for (const { bucket } of told) bucket.untold = 0;
    const levels = await this.redis.attempt(
      'share rates',
      (redis) => redis.eval(TAKE, keys.length, ...keys, ...values) as Promise<unknown>,
    );
    if (!Array.isArray(levels)) return false;
    this.share = 1;
    const thenMs = monotonicMs();
    told.forEach(({ bucket }, i) => {
      const level = Number(levels[i]);
      if (Number.isFinite(level)) bucket.adopt(level, thenMs);
    });
    return true;
  }

  private async takeShare(): Promise<void> {
    if (monotonicMs() - this.nodesAskedMs < NODES_ASKED_EVERY_MS) return;
    this.nodesAskedMs = monotonicMs();
    const rows = await this.database
      .hot<{ n: number }>('serving_nodes', SERVING, [])
      .catch(() => []);
    this.share = 1 / Math.max(1, rows[0]?.n ?? 1);
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}

interface Told {
  user: string;
  name: PrincipalBucket;
  bucket: TokenBucket;
}
