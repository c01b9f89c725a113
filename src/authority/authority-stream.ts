/**
 * The authority log's fast path through Redis: one stream that every node reads with XREAD BLOCK
 * (which is the wake-up as well), marks of ended sessions, confirmations, and the newest position.
 * Loss of any of it costs speed, never truth; what this installation did not seal is ignored.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { monotonicMs } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { RedisMessages } from '../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../platform/stores/redis/redis.js';
import type { Position } from './authority-state.js';
import type { NumberedEvent } from './events.js';
import type { KeptPosition } from './evidence.js';
import { readConfirmation, readEvents, readPosition } from './stream-shapes.js';
import type { Confirmation } from './stream-shapes.js';

const STREAM_LENGTH = 10_000;
/** Marks only spare the activity flush a useless SET; beyond these it finds out by itself. */
const MARKS_MAX = 5_000;
const MARK_SECONDS = 86_400;
/** Well below the silence that platform/stores/redis/redis.ts takes for death. */
const BLOCK_MS = 1_000;
/** Entries of one answer: a suspended user or tenant is one entry with all its sessions. */
const AT_ONCE = 50;

/** Redis may have lost it, though it did not move. */
const KEEP_EVERY_MS = 1_000;

/**
 * Only keeps a mark of life away. Not sealed: forged, it lets an idle session end that its node
 * could not write down.
 */
export const ENDED_MARK = 'ended';

type Entry = [id: Buffer, fields: Buffer[]];

@Injectable()
export class AuthorityStream implements OnModuleDestroy {
  private reader: Redis | null = null;
  private subscriber: Redis | null = null;
  private stopped = false;
  private kept = { hash: '', atMs: 0 };

  constructor(
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly config: Config,
  ) {}

  async announce(events: NumberedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const ended = events.flatMap(({ event }) =>
      event.kind === 'session.ended' ? event.sessions : [],
    );
    await this.redis.attempt('announce', (redis) => {
      const { authority } = this.names;
      // One round trip; single-key commands, so that it works on a Redis Cluster too.
      const pipeline = redis
        .pipeline()
        .xadd(
          authority,
          'MAXLEN',
          '~',
          STREAM_LENGTH,
          '*',
          'e',
          this.messages.write('authority', '', events),
        );
      for (const session of ended.slice(0, MARKS_MAX))
        pipeline.set(
          this.names.session(session),
          ENDED_MARK,
          'EX',
          Math.min(this.config.sessionAbsoluteSeconds, MARK_SECONDS),
        );
      return pipeline.exec();
    });
  }

  async confirm(confirmation: Omit<Confirmation, 'node'>): Promise<void> {
    await this.redis.attempt('confirm', (redis) =>
      redis.publish(
        this.names.confirmations,
        this.messages.write('confirmation', '', confirmation),
      ),
    );
  }

  /**
   * Position of a round that proved it: what is left of the newest past when the database is
   * restored. Nobody waits for it.
   */
  keepPosition(at: Position): void {
    const nowMs = monotonicMs();
    if (at.hash === this.kept.hash && nowMs - this.kept.atMs < KEEP_EVERY_MS) return;
    this.kept = { hash: at.hash, atMs: nowMs };
    void this.redis.attempt('keep position', (redis) =>
      redis.set(this.names.position, this.messages.write('position', '', at)),
    );
  }

  /**
   * Null: Redis is away or was emptied, or what stands there is not ours. Then nothing is known.
   */
  async keptPosition(): Promise<KeptPosition | null> {
    const box = await this.redis.attempt('kept position', (redis) =>
      redis.getBuffer(this.names.position),
    );
    if (box === undefined || box === null) return null;
    const message = this.messages.read('position', '', box, readPosition);
    return message === null ? null : { at: message.value, atMs: message.atMs };
  }

  /** Reads from now on until the module is destroyed; reconnects for ever. */
  follow(
    onEvents: (events: NumberedEvent[]) => void,
    onConfirmation: (confirmation: Confirmation) => void,
  ): void {
    void this.readLoop(onEvents);
    const subscriber = (this.subscriber = this.redis.subscriber('authority-confirmations', {
      sharded: false,
    }));
    const channel = Buffer.from(this.names.confirmations);
    subscriber.on('messageBuffer', (from: Buffer, box: Buffer) => {
      if (!channel.equals(from)) return;
      this.messages.receive('confirmation', '', box, readConfirmation, ({ sender, value }) =>
        onConfirmation({ node: sender, ...value }),
      );
    });
    subscriber.on(
      'ready',
      () => void subscriber.subscribe(this.names.confirmations).catch(() => undefined),
    );
    void subscriber.connect().catch(() => undefined);
  }

  private async readLoop(onEvents: (events: NumberedEvent[]) => void): Promise<void> {
    const reader = (this.reader = this.redis.reader('authority'));
    await reader.connect().catch(() => undefined);
    let from: string | null = null;
    while (!this.stopped) {
      try {
        from ??= await now(reader);
        for (const [id, fields] of await this.read(reader, from)) {
          from = id.toString('latin1');
          this.messages.receive(
            'authority',
            '',
            fields[1] ?? Buffer.alloc(0),
            readEvents,
            ({ value }) => onEvents(value),
          );
        }
      } catch {
        // Away, restarted or emptied: read on from now; what was missed comes from Postgres.
        from = null;
        await new Promise((resolve) => setTimeout(resolve, 100).unref());
      }
    }
  }

  private async read(reader: Redis, from: string): Promise<Entry[]> {
    const answer = await reader.xreadBuffer(
      'COUNT',
      AT_ONCE,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      this.names.authority,
      from,
    );
    return (answer as unknown as [Buffer, Entry[]][] | null)?.[0]?.[1] ?? [];
  }

  onModuleDestroy(): void {
    this.stopped = true;
    this.reader?.disconnect();
    this.subscriber?.disconnect();
  }
}

/**
 * An id, not '$': what comes between two reads must not be missed. Of Redis' clock, so that no
 * entry has to be read for it.
 */
async function now(reader: Redis): Promise<string> {
  const [seconds, micros] = await reader.time();
  return `${Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)}-0`;
}
