/**
 * Every connection of this node, found by session, user or in all; caps; and what an authority
 * event does to them. Marking dead is synchronous: when `apply` returns, nothing of them is in any
 * list.
 */
import { Injectable } from '@nestjs/common';
import type { CloseCode } from '@wardroom/protocol/codes';
import { AuthorityDispatcher } from '../../authority/authority-dispatcher.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { StandingSessions } from '../../sessions/standing-sessions.js';
import { ConnectionEnds, endedByPeer, endedByServer } from './ends/connection-ends.js';
import type { TransportEnd } from './ends/connection-end.js';
import { ConnectionIndex } from './connection-index.js';
import { Connection } from './connection.js';
import type { ConnectionHost } from './connection.js';
import { NetworkCounts } from './network-counts.js';
import { spread } from './timers/spread.js';
import { Strangers } from './strangers.js';

/** Refreshes after a withdrawn key are spread over this. */
const KEY_SPREAD_MS = 10_000;

@Injectable()
export class ConnectionRegistry implements ConnectionHost {
  private readonly all = new Set<Connection>();
  private readonly bySession = new ConnectionIndex();
  private readonly byUser = new ConnectionIndex();
  private readonly perNetwork = new NetworkCounts();
  private readonly endListeners: ((connection: Connection) => void)[] = [];
  readonly queueBytesMax: number;
  private flushLater: (connection: Connection) => void = (connection) => connection.flush();

  constructor(
    private readonly config: Config,
    private readonly lease: Lease,
    private readonly metrics: Metrics,
    private readonly ends: ConnectionEnds,
    private readonly strangers: Strangers,
    rounds: LeaseRounds,
    dispatcher: AuthorityDispatcher,
    private readonly standing: StandingSessions,
  ) {
    this.queueBytesMax = config.queueBytesMax;
    dispatcher.register('connections', { event: (event) => this.apply(event) });
    rounds.recheckAfterReplacement(() => this.endLost());
    lease.onProven(() => {
      for (const connection of this.all) connection.resume();
    });
  }

  isFenced(nowMs: number): boolean {
    return this.lease.isFenced(nowMs);
  }

  get size(): number {
    return this.all.size;
  }

  values(): Iterable<Connection> {
    return this.all;
  }

  ofUser(userId: string): Iterable<Connection> {
    return this.byUser.of(userId);
  }

  ofSession(sessionId: string): Iterable<Connection> {
    return this.bySession.of(sessionId);
  }

  /** Called when a connection was ended by the server or is gone, after it left the lists. */
  onEnded(listener: (connection: Connection) => void): void {
    this.endListeners.push(listener);
  }

  /** Before the upgrade, when refusing is cheapest. */
  requireRoomFor(ip: string): void {
    if (this.all.size >= this.config.connectionsMax)
      throw new DomainError('overloaded', { retryAfterMs: spread(5_000) });
    if (this.perNetwork.of(ip) >= this.config.connectionsPerIpMax)
      throw new DomainError('too_many_connections', { retryAfterMs: spread(5_000) });
  }

  open(connection: Connection): void {
    this.all.add(connection);
    this.perNetwork.add(connection.ip);
    this.metrics.connections.value = this.all.size;
  }

  /**
   * Makes an authenticated connection findable by session and user. Check - register - check again:
   * see authenticate.ts.
   */
  register(connection: Connection): void {
    const { sessionId, userId } = connection.principal;
    this.bySession.add(sessionId, connection);
    this.byUser.add(userId, connection);
    this.strangers.remove(connection);
  }

  wantsFlush(connection: Connection): void {
    this.flushLater(connection);
  }

  /** The flusher of connections: delivery, after the fan-outs of the same tick. */
  flushBy(flushLater: (connection: Connection) => void): void {
    this.flushLater = flushLater;
  }

  onEnd(connection: Connection, code: CloseCode): void {
    this.forget(connection);
    this.ends.record(connection, endedByServer(connection, code));
  }

  /** The transport is gone; `how`, where this node found out by itself. */
  gone(connection: Connection, how?: TransportEnd): void {
    const ended = connection.state === 'closing';
    if (!connection.step('gone')) return;
    if (ended) return;
    this.forget(connection);
    this.ends.record(connection, endedByPeer(connection, how));
  }

  private forget(connection: Connection): void {
    if (!this.all.delete(connection)) return;
    this.perNetwork.remove(connection.ip);
    this.strangers.remove(connection);
    if (connection.token !== null) {
      this.bySession.remove(connection.principal.sessionId, connection);
      this.byUser.remove(connection.principal.userId, connection);
    }
    connection.release();
    this.metrics.connections.value = this.all.size;
    for (const listener of this.endListeners) listener(connection);
  }

  private apply(event: AuthorityEvent): number {
    switch (event.kind) {
      case 'session.ended':
        return event.sessions.reduce(
          (sum, session) => sum + this.endAll([...this.bySession.of(session)], event.reason),
          0,
        );
      case 'tenant.changed':
        if (event.state === 'active') return 0;
        return this.endAll(
          [...this.all].filter(
            (connection) => connection.token?.principal.tenantId === event.tenant,
          ),
          'tenant_disabled',
        );
      case 'key.withdrawn':
        return this.endAll(
          [...this.all].filter((connection) => connection.token?.kid === event.kid),
          'token_revoked',
          KEY_SPREAD_MS,
        );
      case 'user.changed':
      case 'member.changed':
      case 'room.changed':
      case 'key.added':
      case 'history.replaced':
        return 0;
    }
  }

  /** Ends what has no live session in the database that replaced the one it was opened in. */
  private async endLost(): Promise<void> {
    const authenticated = [...this.all].filter((connection) => connection.token !== null);
    const standing = await this.standing.of([
      ...new Set(authenticated.map((connection) => connection.principal.sessionId)),
    ]);
    this.endAll(
      authenticated.filter(
        (connection) => this.all.has(connection) && !standing.has(connection.principal.sessionId),
      ),
      'session_revoked',
    );
  }

  private endAll(connections: Connection[], code: CloseCode, spreadMs?: number): number {
    for (const connection of connections)
      connection.end(code, spreadMs === undefined ? undefined : spread(spreadMs));
    return connections.length;
  }
}
