/**
 * A connection to Redis that hides nothing: each failed command is counted, an answer that says
 * "not here" makes it connect again, and an answer without end is cut off instead of filling the
 * memory.
 */
import { Redis } from 'ioredis';
import type { Command, CommonRedisOptions } from 'ioredis';
import { monotonicMs } from '../../clock.js';
import type { RedisTrouble } from './redis-trouble.js';
import { kindOf, servesElsewhere } from './redis-trouble.js';

/**
 * More than any answer or message of ours; Redis itself cuts a subscriber off at 32 MiB by default.
 */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;
const RECONNECT_EVERY_MS = 1_000;
/**
 * Of the handshake of ioredis and our question for the run id: a server may not know or allow them.
 */
const MAY_FAIL = new Set(['hello', 'client', 'info']);

export class WatchedRedis extends Redis {
  /** Received since an answer or a message was complete. */
  private unreadBytes = 0;

  constructor(
    url: string,
    options: Omit<CommonRedisOptions, 'replyMapping'>,
    private readonly label: string,
    private readonly trouble: RedisTrouble,
  ) {
    super(url, {
      ...options,
      connectionName: `wardroom-${label}`,
      reconnectOnError: pacedReconnect(),
    });
    this.on('error', (error: Error) => trouble.error(label, kindOf(error), error.message));
    this.on('connect', () => this.watchBytes());
    for (const event of ['messageBuffer', 'smessageBuffer'])
      this.on(event, () => this.isComplete());
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    command.promise.then(
      () => this.isComplete(),
      (error: Error) => this.failed(command, error),
    );
    return super.sendCommand(command, stream);
  }

  private failed({ name }: Command, error: Error): void {
    this.isComplete();
    const kind = kindOf(error);
    // A broken connection is told once, by the event; a script that Redis does not have yet is sent
    // after this.
    if (kind === 'connection' || MAY_FAIL.has(name) || error.message.startsWith('NOSCRIPT')) return;
    this.trouble.error(this.label, kind, error.message);
  }

  private isComplete(): void {
    this.unreadBytes = 0;
  }

  private watchBytes(): void {
    this.unreadBytes = 0;
    // After the listener of ioredis, which tells us what is complete.
    this.stream.on('data', (chunk: Buffer) => {
      this.unreadBytes += chunk.length;
      if (this.unreadBytes <= UNREAD_BYTES_MAX) return;
      this.unreadBytes = 0;
      this.trouble.error(this.label, 'huge', `more than ${UNREAD_BYTES_MAX} bytes at once`);
      this.disconnect(true);
    });
  }
}

/** At most once a second: a server that stays what it is must not make us knock without end. */
function pacedReconnect(): (error: Error) => boolean {
  let lastMs = -Infinity;
  return (error) => {
    const { command } = error as Error & { command?: { name: string } };
    if (
      !servesElsewhere(error) ||
      MAY_FAIL.has(command?.name ?? '') ||
      monotonicMs() - lastMs < RECONNECT_EVERY_MS
    )
      return false;
    lastMs = monotonicMs();
    return true;
  };
}
