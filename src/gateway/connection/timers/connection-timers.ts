/**
 * Time and a connection: authentication deadline, warning, expiry, grace, heartbeat, the end of a
 * close. One wheel for all of them; the wheel sends the notices and closes; expiry itself is
 * checked at every frame and write.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { refreshWindow } from '../../../auth/tokens/token-lifetimes.js';
import { LeaseRounds } from '../../../authority/lease/lease-rounds.js';
import { Lease } from '../../../authority/lease/lease.js';
import { monotonicMs, wallMs } from '../../../platform/clock.js';
import { Config } from '../../../platform/config/config.js';
import { Metrics } from '../../../platform/metrics.js';
import type { AcceptedToken } from '../../../sessions/principal.js';
import { CLOSE_WITHIN_MS } from '../connection.js';
import type { Connection } from '../connection.js';
import { ConnectionRegistry } from '../connection-registry.js';
import { Ticks } from '../../ticks.js';
import { spread } from './spread.js';
import { TimingWheel } from './timing-wheel.js';

export const HEARTBEAT_MS = 25_000;

@Injectable()
export class ConnectionTimers implements OnModuleInit, OnModuleDestroy {
  private readonly wheel = new TimingWheel((connection, nowMs) => this.onDue(connection, nowMs));
  private fenceTimer: NodeJS.Timeout | null = null;
  private readonly expiryListeners: ((connection: Connection) => void)[] = [];

  constructor(
    private readonly config: Config,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly connections: ConnectionRegistry,
    private readonly metrics: Metrics,
    private readonly ticks: Ticks,
  ) {
    connections.onEnded((connection) =>
      this.wheel.schedule(connection, monotonicMs() + CLOSE_WITHIN_MS),
    );
    lease.onFence((fenced) => this.tellPaused(fenced));
    this.rounds.isServing = () => connections.size > 0;
    this.rounds.onSlept((sleptMs) => this.ageTokens(sleptMs));
  }

  onModuleInit(): void {
    this.ticks.on(() => this.wheel.turn(this.rounds.beat()));
    this.fenceTimer = setInterval(() => this.closeLongFenced(), 500);
    this.fenceTimer.unref();
  }

  /** Called when a token ends, before the client receives `auth_expired`. */
  onExpired(listener: (connection: Connection) => void): void {
    this.expiryListeners.push(listener);
  }

  /** After every change of state or token. */
  schedule(connection: Connection): void {
    if (connection.times.heartbeatMs === 0)
      connection.times.heartbeatMs = monotonicMs() + HEARTBEAT_MS;
    this.wheel.schedule(connection, this.nextDueMs(connection));
  }

  private nextDueMs(connection: Connection): number {
    const { state, token } = connection;
    const { heartbeatMs } = connection.times;
    if (state === 'closing') return connection.times.closingSinceMs + CLOSE_WITHIN_MS;
    if (token === null) return connection.times.openedMs + this.config.authDeadlineMs;
    if (state === 'expired')
      return Math.min(heartbeatMs, token.deadlineMs + this.config.authGraceSeconds * 1000);
    const warningMs = connection.times.warned ? Infinity : this.warningMs(token);
    return Math.min(heartbeatMs, token.deadlineMs, warningMs);
  }

  private onDue(connection: Connection, nowMs: number): void {
    const { state, token } = connection;
    if (state === 'closed') return;
    if (state === 'closing') return connection.destroy();
    if (token === null) {
      if (nowMs >= connection.times.openedMs + this.config.authDeadlineMs)
        return connection.end('auth_timeout', spread(1_000));
    } else {
      if (state === 'live' && nowMs >= token.deadlineMs) this.expire(connection);
      else if (state === 'live' && !connection.times.warned && nowMs >= this.warningMs(token))
        this.warn(connection);
      if (state === 'expired' && nowMs >= token.deadlineMs + this.config.authGraceSeconds * 1000)
        return connection.end('token_expired', spread(1_000));
    }
    if (nowMs >= connection.times.heartbeatMs && !this.beat(connection, nowMs)) return;
    this.schedule(connection);
  }

  /**
   * Monotonic ms at which the client is warned: before the second half of a life at the earliest.
   */
  private warningMs({ deadlineMs, expiresAtMs, issuedAtMs }: AcceptedToken): number {
    return (
      deadlineMs - Math.min(this.config.authWarningSeconds * 1000, (expiresAtMs - issuedAtMs) / 2)
    );
  }

  private warn(connection: Connection): void {
    connection.times.warned = true;
    connection.timeline.warned(connection.ageMs);
    this.metrics.expiries.inc({ phase: 'warned' });
    const token = connection.token!;
    const { refresh_after_ms } = refreshWindow(token.issuedAtMs, token.expiresAtMs, wallMs());
    connection.send({
      type: 'auth_expiring_soon',
      expires_in_ms: Math.max(0, Math.round(token.deadlineMs - monotonicMs())),
      refresh_after_ms,
    });
  }

  /**
   * Deliveries are held from here; what the room says meanwhile is read from Postgres after
   * re-authentication.
   */
  private expire(connection: Connection): void {
    if (!connection.step('expired')) return;
    this.metrics.expiries.inc({ phase: 'expired' });
    connection.timeline.expired(connection.ageMs, this.config.authGraceSeconds * 1000);
    connection.dropTransient();
    for (const listener of this.expiryListeners) listener(connection);
    connection.send({ type: 'auth_expired', grace_ms: this.config.authGraceSeconds * 1000 });
  }

  /**
   * False: the peer is dead. Anything read since the last ping proves it alive; where we do not
   * read, nothing proves it dead.
   */
  private beat(connection: Connection, nowMs: number): boolean {
    const silent =
      connection.times.bytesSeen === connection.bytesRead &&
      connection.times.pinged &&
      connection.inbox?.paused !== true;
    // A client that has closed and takes no answer is given no more time, either.
    if (silent || connection.peerStatus > 0) {
      this.connections.gone(connection, 'half_open');
      connection.destroy();
      return false;
    }
    connection.times.bytesSeen = connection.bytesRead;
    connection.times.pinged = true;
    connection.ping();
    connection.times.heartbeatMs = nowMs + HEARTBEAT_MS;
    return true;
  }

  /**
   * Deadlines are monotonic; while the machine slept that clock stood still and the tokens did not.
   */
  private ageTokens(sleptMs: number): void {
    for (const connection of this.connections.values()) {
      if (connection.token === null) continue;
      connection.token = { ...connection.token, deadlineMs: connection.token.deadlineMs - sleptMs };
      this.schedule(connection);
    }
  }

  private tellPaused(fenced: boolean): void {
    const frame = { type: fenced ? 'paused' : 'resumed', code: 'auth_unavailable' } as const;
    for (const connection of this.connections.values())
      if (connection.authenticated) connection.send(frame);
  }

  private closeLongFenced(): void {
    if (this.config.fenceCloseMs === 0 || this.lease.fencedForMs < this.config.fenceCloseMs) return;
    for (const connection of [...this.connections.values()])
      connection.end('auth_unavailable', spread(10_000));
  }

  onModuleDestroy(): void {
    if (this.fenceTimer !== null) clearInterval(this.fenceTimer);
  }
}
