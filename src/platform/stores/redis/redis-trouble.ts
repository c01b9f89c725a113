/**
 * Trouble with Redis, as an operator sees it: errors it answers with, connections that fail, and
 * messages that this node does not understand or believe. Counted, and in the log once a minute
 * each; nothing of it ends anything.
 */
import { Injectable, Logger } from '@nestjs/common';
import { monotonicMs } from '../../clock.js';
import { Metrics } from '../../metrics.js';
import type { SealProblem } from '../message-seal.js';

const LOG_EVERY_MS = 60_000;

/** The use of Redis, as a label. */
export type RedisUse =
  | 'authority'
  | 'confirmation'
  | 'position'
  | 'room'
  | 'ticket'
  | 'mark'
  | 'decision'
  | 'logout_token'
  | 'question'
  | 'answer';

/** Why something in Redis was ignored. `late`: too old, or a copy of what came before. */
export type IgnoredFor = SealProblem | 'shape' | 'late';

/** The first word of an error of Redis 7 or 8; every other is `ERR`. Labels stay bounded. */
const KINDS = new Set(
  'READONLY LOADING MASTERDOWN NOAUTH NOPERM WRONGPASS OOM MISCONF NOREPLICAS CLUSTERDOWN MOVED ASK TRYAGAIN CROSSSLOT UNBLOCKED BUSY WRONGTYPE EXECABORT'.split(
    ' ',
  ),
);
/** Of a server that is not, or no longer, the one to talk to. */
const ELSEWHERE = new Set([
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'NOAUTH',
  'NOPERM',
  'WRONGPASS',
  'CLUSTERDOWN',
  'UNBLOCKED',
]);

/**
 * `connection`: it broke or was refused. `timeout`: no answer. `deaf`: a subscriber that hears
 * nothing. `huge`: too much at once.
 */
export type RedisErrorKind = 'connection' | 'timeout' | 'deaf' | 'huge' | (string & {});

@Injectable()
export class RedisTrouble {
  private readonly logger = new Logger('Redis');
  private readonly logged = new Map<string, { atMs: number; since: number }>();
  private last: { kind: RedisErrorKind; atMs: number } | null = null;

  constructor(private readonly metrics: Metrics) {}

  error(connection: string, kind: RedisErrorKind, detail: string): void {
    this.metrics.redisErrors.inc({ kind });
    this.last = { kind, atMs: monotonicMs() };
    this.log(`error ${kind}`, { msg: 'Redis trouble', kind, connection, detail });
  }

  /** `error`: of our own code, which met what it did not expect. */
  ignored(channel: RedisUse, reason: IgnoredFor, error?: Error): void {
    this.metrics.redisIgnored.inc({ channel, reason });
    this.log(`ignored ${channel} ${reason}`, {
      msg: 'ignored what stands in Redis',
      channel,
      reason,
      ...(error === undefined ? {} : { error: error.message }),
    });
  }

  /** The kind of the last error, for a minute. */
  get recent(): RedisErrorKind | null {
    return this.last !== null && monotonicMs() - this.last.atMs < LOG_EVERY_MS
      ? this.last.kind
      : null;
  }

  /** Keys are bounded: kinds, uses and reasons. */
  private log(key: string, line: Record<string, unknown>): void {
    const before = this.logged.get(key);
    if (before !== undefined && monotonicMs() - before.atMs < LOG_EVERY_MS) {
      before.since += 1;
      return;
    }
    this.logger.warn({
      ...line,
      ...(before === undefined ? {} : { also_since_last_line: before.since }),
    });
    this.logged.set(key, { atMs: monotonicMs(), since: 0 });
  }
}

export function kindOf(error: Error): RedisErrorKind {
  if (error.message.startsWith('Command timed out')) return 'timeout';
  if (error.name !== 'ReplyError') return 'connection';
  const word = /^[A-Z]+/.exec(error.message)?.[0] ?? '';
  return KINDS.has(word) ? word : 'ERR';
}

/** Another connection may reach a server that serves. */
export const servesElsewhere = (error: Error): boolean => ELSEWHERE.has(kindOf(error));
