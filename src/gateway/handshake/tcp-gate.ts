/**
 * TCP connections that are no WebSocket (yet): they cost a descriptor and memory before anything
 * was said on them, so they are bounded where they come in, in all and per client network - by the
 * caps that hold for WebSockets, counted apart from them. A trusted proxy stands for all of its
 * clients and is not counted as one network; it has a limit of its own.
 */
import { Injectable } from '@nestjs/common';
import type { Server, Socket } from 'node:net';
import { ClientAddresses, plainAddress } from '../../platform/http/client-address.js';
import { Config } from '../../platform/config/config.js';
import { Metrics } from '../../platform/metrics.js';
import { NetworkCounts } from '../connection/network-counts.js';

type OnConnection = (this: Server, socket: Socket) => void;

@Injectable()
export class TcpGate {
  /** With the address that each is counted for; empty: it is counted in all only. */
  private readonly plain = new Map<Socket, string>();
  private readonly perNetwork = new NetworkCounts();
  /** One for all sockets. */
  private readonly onClose: (this: Socket) => void;

  constructor(
    private readonly config: Config,
    private readonly addresses: ClientAddresses,
    private readonly metrics: Metrics,
  ) {
    this.onClose = withSocket((socket) => this.leave(socket));
  }

  /**
   * Before whoever listens now, on any server of node:net. Answers with a function that undoes it.
   */
  install(server: Server): () => void {
    const inside = server.listeners('connection') as OnConnection[];
    const gate = (socket: Socket): void => {
      if (this.admits(socket)) for (const listener of inside) listener.call(server, socket);
    };
    server.removeAllListeners('connection').on('connection', gate);
    return () => {
      server.off('connection', gate);
      for (const listener of inside) server.on('connection', listener);
    };
  }

  /** It became a WebSocket, which is counted as such. */
  leave(socket: Socket): void {
    const counted = this.counted(socket);
    const address = counted && this.plain.get(counted);
    if (counted === undefined || address === undefined) return;
    counted.off('close', this.onClose);
    this.plain.delete(counted);
    if (address !== '') this.perNetwork.remove(address);
  }

  /** Of TLS, the connection below it. */
  private counted(socket: Socket & { _parent?: Socket | null }): Socket | undefined {
    if (this.plain.has(socket)) return socket;
    const below = socket._parent ?? undefined;
    return below !== undefined && this.plain.has(below) ? below : undefined;
  }

  private admits(socket: Socket): boolean {
    // Handed in again: other-upgrades.ts.
    if (this.counted(socket) !== undefined) return true;
    const address = plainAddress(socket.remoteAddress);
    const counted = this.addresses.trusts(address) ? '' : address;
    const full =
      this.plain.size >= this.config.connectionsMax
        ? 'node'
        : this.perNetwork.of(counted) >= this.config.connectionsPerIpMax
          ? 'address'
          : null;
    if (full !== null) {
      this.metrics.tcpRefused.inc({ cap: full });
      socket.destroy();
      return false;
    }
    this.plain.set(socket, counted);
    if (counted !== '') this.perNetwork.add(counted);
    socket.on('close', this.onClose);
    return true;
  }
}

/** A listener of `close`, which names its socket by `this` alone. */
function withSocket(leave: (socket: Socket) => void): (this: Socket) => void {
  return function () {
    leave(this);
  };
}
