/**
 * The authority log's fast path through Redis: one stream that every node reads with XREAD BLOCK (which is the wake-up
 * as well), marks of ended sessions, and confirmations. Loss of any of it costs speed, never truth.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RedisConnections } from '../platform/redis.js';
import { Config } from '../platform/config.js';
import type { NumberedEvent } from './events.js';

const STREAM = 'wardroom:authority';
const CONFIRMATIONS = 'wardroom:authority:confirmed';
const STREAM_LENGTH = 10_000;
/** Marks only spare the activity flush a useless SET; beyond these it finds out by itself. */
const MARKS_MAX = 5_000;
const MARK_SECONDS = 86_400;
/** Well below the silence that platform/redis.ts takes for death. */
const BLOCK_MS = 1_000;

export const sessionMark = (session: string): string => `wardroom:session:{${session}}`;

export interface Confirmation {
  node: string;
  position: number;
  /** Connections closed, by event number. */
  closed: Record<string, number>;
}

@Injectable()
export class AuthorityStream implements OnModuleDestroy {
  private reader: Redis | null = null;
  private subscriber: Redis | null = null;
  private stopped = false;

  constructor(
    private readonly redis: RedisConnections,
    private readonly config: Config,
  ) {}

  async announce(events: NumberedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const ended = events.flatMap(({ event }) => (event.kind === 'session.ended' ? event.sessions : []));
    await this.redis.attempt('announce', (redis) => {
      // One round trip; single-key commands, so that it works on a Redis Cluster too.
      const pipeline = redis.pipeline().xadd(STREAM, 'MAXLEN', '~', STREAM_LENGTH, '*', 'e', JSON.stringify(events));
      for (const session of ended.slice(0, MARKS_MAX))
        pipeline.set(sessionMark(session), 'ended', 'EX', Math.min(this.config.sessionAbsoluteSeconds, MARK_SECONDS));
      return pipeline.exec();
    });
  }

  async confirm(confirmation: Confirmation): Promise<void> {
    await this.redis.attempt('confirm', (redis) => redis.publish(CONFIRMATIONS, JSON.stringify(confirmation)));
  }

  /** Reads from now on until the module is destroyed; reconnects for ever. */
  follow(onEvents: (events: NumberedEvent[]) => void, onConfirmation: (confirmation: Confirmation) => void): void {
    void this.readLoop(onEvents);
    this.subscriber = this.redis.subscriber('authority-confirmations');
    this.subscriber.on('message', (_channel, text) => onConfirmation(JSON.parse(text) as Confirmation));
    void this.subscriber.connect().catch(() => undefined);
    this.subscriber.on('ready', () => void this.subscriber?.subscribe(CONFIRMATIONS).catch(() => undefined));
  }

  private async readLoop(onEvents: (events: NumberedEvent[]) => void): Promise<void> {
    const reader = (this.reader = this.redis.reader('authority'));
    await reader.connect().catch(() => undefined);
    let from: string | null = null;
    while (!this.stopped) {
      try {
        // An id, not '$': what comes between two reads must not be missed.
        from ??= (await reader.xrevrange(STREAM, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
        const answer: [string, [string, string[]][]][] | null = await reader.xread('COUNT', 500, 'BLOCK', BLOCK_MS, 'STREAMS', STREAM, from);
        for (const [id, fields] of answer?.[0]?.[1] ?? []) {
          from = id;
          onEvents(JSON.parse(fields[1]!) as NumberedEvent[]);
        }
      } catch {
        // Away, restarted or emptied: read on from the end; what was missed comes from Postgres.
        from = null;
        await new Promise((resolve) => setTimeout(resolve, 100).unref());
      }
    }
  }

  onModuleDestroy(): void {
    this.stopped = true;
    this.reader?.disconnect();
    this.subscriber?.disconnect();
  }
}
