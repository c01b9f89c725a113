/**
 * Finds a subscriber that is deaf: its socket lives, Redis answers its PINGs, and no message comes
 * (a proxy that swallows them, channels taken away, a server that is no longer the one where others
 * publish). After a silence this node publishes to itself; what Redis accepted and did not bring
 * back within the patience makes the subscriber connect again.
 */
import { monotonicMs } from '../../clock.js';
import type { WatchedRedis } from './watched-redis.js';

const TICK_MS = 500;
const SILENCE_MS = 500;
/** With the silence and two ticks below the 3 s that are promised. */
const PATIENCE_MS = 1_500;

export interface ProbeOptions {
  channel: string;
  sharded: boolean;
  /** Publishes where others publish; false when it could not. */
  publish: (channel: string) => Promise<boolean>;
  onDeaf: () => void;
}

export function probe(
  subscriber: WatchedRedis,
  { channel, sharded, publish, onDeaf }: ProbeOptions,
): void {
  let heardMs = monotonicMs();
  /** When Redis accepted the probe that is under way. */
  let sentMs: number | null = null;
  let sending = false;
  let tickedMs = monotonicMs();

  const heard = (): void => {
    heardMs = monotonicMs();
    sentMs = null;
  };
  /**
   * While nothing can be published: a server that answers keeps the socket, and one that does not
   * is cut off by `socketTimeout`.
   */
  const ping = (): void => void subscriber.ping().catch(() => undefined);
  const send = async (): Promise<void> => {
    sending = true;
    const accepted = await publish(channel);
    // Nothing will come back.
    if (!accepted) ping();
    // It may have come back before the answer to its publisher.
    else if (monotonicMs() - heardMs >= SILENCE_MS) sentMs = monotonicMs();
    sending = false;
  };
  const tick = (): void => {
    const nowMs = monotonicMs();
    const stoodStill = nowMs - tickedMs > 2 * TICK_MS;
    tickedMs = nowMs;
    // After a standstill of the process the answer may lie unread in the socket.
    if (subscriber.status !== 'ready' || stoodStill) return heard();
    if (sending) ping();
    else if (sentMs !== null && nowMs - sentMs >= PATIENCE_MS) {
      heard();
      onDeaf();
      subscriber.disconnect(true);
    } else if (sentMs === null && nowMs - heardMs >= SILENCE_MS) void send();
  };

  subscriber.on(sharded ? 'smessageBuffer' : 'messageBuffer', heard);
  subscriber.on('ready', () => {
    heard();
    void (sharded ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel)).catch(
      () => undefined,
    );
  });
  const timer = setInterval(tick, TICK_MS).unref();
  subscriber.on('end', () => clearInterval(timer));
}
