/**
 * A clean stop: not ready any more, no new connections, every client told when to come back
 * (spread, so that the other nodes are not stormed), then gone.
 */
import { Injectable, Logger } from '@nestjs/common';
import { CLOSE_WITHIN_MS } from '../connection/connection.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { Handshake } from './handshake.js';
import { spread } from '../connection/timers/spread.js';

/** Reconnects per second that the remaining nodes are asked to bear. */
const RECONNECTS_PER_SECOND = 1_000;
const SLICE = 200;

@Injectable()
export class Drain {
  private readonly logger = new Logger(Drain.name);

  constructor(
    private readonly connections: ConnectionRegistry,
    private readonly handshake: Handshake,
  ) {}

  get draining(): boolean {
    return this.handshake.draining;
  }

  async run(): Promise<void> {
    this.handshake.draining = true;
    const all = [...this.connections.values()];
    this.logger.log({ msg: 'draining', connections: all.length });
    const overMs = Math.max(500, (all.length / RECONNECTS_PER_SECOND) * 1000);
    for (let from = 0; from < all.length; from += SLICE) {
      for (const connection of all.slice(from, from + SLICE))
        connection.end('restarting', spread(overMs));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const deadline = performance.now() + CLOSE_WITHIN_MS;
    while (
      all.some((connection) => connection.state !== 'closed') &&
      performance.now() < deadline
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const connection of all) if (connection.state !== 'closed') connection.destroy();
  }
}
