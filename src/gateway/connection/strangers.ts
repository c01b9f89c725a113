/**
 * Connections that have shown no credential yet, bounded in all and per client network. A
 * credential that came with the upgrade request is verified at once, so its connection is no
 * stranger. Where a network has all its places taken, the next client waits for one, in order and
 * not for long: an office that comes back after a restart needs each place for one round trip only.
 */
import { Injectable } from '@nestjs/common';
import { networkOf } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import type { Connection } from './connection.js';
import { NetworkCounts } from './network-counts.js';
import { spread } from './timers/spread.js';

@Injectable()
export class Strangers {
  private readonly known = new Set<Connection>();
  private readonly perNetwork = new NetworkCounts();
  private readonly lines = new Map<string, Set<() => void>>();
  private waiting = 0;

  constructor(private readonly config: Config) {}

  /**
   * Resolves when there is room for one more; undefined: there is. Throws when there will be none
   * in time.
   */
  place(address: string): Promise<void> | undefined {
    this.requireRoomInAll();
    return this.isFull(address) || this.lines.has(networkOf(address))
      ? this.wait(address)
      : undefined;
  }

  add(connection: Connection): void {
    this.known.add(connection);
    this.perNetwork.add(connection.ip);
  }

  /** It has authenticated, or is over. */
  remove(connection: Connection): void {
    if (!this.known.delete(connection)) return;
    this.perNetwork.remove(connection.ip);
    for (const enter of this.lines.get(networkOf(connection.ip)) ?? []) return enter();
  }

  private requireRoomInAll(): void {
    if (this.known.size + this.waiting >= this.config.unauthenticatedMax)
      throw new DomainError('overloaded', { retryAfterMs: spread(5_000) });
  }

  private isFull(address: string): boolean {
    return this.perNetwork.of(address) >= this.config.unauthenticatedPerIpMax;
  }

  /**
   * Half the time that a silent one may keep its place: a network that holds all of its own is
   * told.
   */
  private async wait(address: string): Promise<void> {
    const network = networkOf(address);
    const line = this.lines.get(network) ?? new Set();
    this.lines.set(network, line);
    this.waiting += 1;
    await this.turnIn(line);
    this.waiting -= 1;
    if (line.size === 0 && this.lines.get(network) === line) this.lines.delete(network);
    if (this.isFull(address))
      throw new DomainError('too_many_connections', { retryAfterMs: spread(5_000) });
    this.requireRoomInAll();
  }

  private turnIn(line: Set<() => void>): Promise<void> {
    return new Promise((resolve) => {
      const enter = (): void => {
        clearTimeout(timer);
        line.delete(enter);
        resolve();
      };
      const timer = setTimeout(enter, this.config.authDeadlineMs / 2);
      line.add(enter);
    });
  }
}
