/**
 * TCP connections are counted by network, whatever lies on them, until they are a WebSocket or
 * over.
 */
import { EventEmitter } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { TcpGate } from '../../../src/gateway/handshake/tcp-gate.js';
import { ClientAddresses } from '../../../src/platform/http/client-address.js';
import type { Config } from '../../../src/platform/config/config.js';
import type { Metrics } from '../../../src/platform/metrics.js';

const [IN_ALL, PER_NETWORK] = [8, 3];
const PROXY = '10.0.0.1';

class FakeSocket extends EventEmitter {
  destroyed = false;
  constructor(
    readonly remoteAddress: string,
    readonly _parent?: FakeSocket,
  ) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

class Door {
  readonly refused: string[] = [];
  readonly inside: FakeSocket[] = [];
  readonly server = new EventEmitter();
  readonly gate: TcpGate;
  readonly open: () => void;

  constructor() {
    const config = {
      connectionsMax: IN_ALL,
      connectionsPerIpMax: PER_NETWORK,
      trustedProxies: [PROXY],
    } as unknown as Config;
    const metrics = { tcpRefused: { inc: ({ cap }: { cap: string }) => this.refused.push(cap) } };
    this.gate = new TcpGate(config, new ClientAddresses(config), metrics as unknown as Metrics);
    this.server.on('connection', (socket: FakeSocket) => this.inside.push(socket));
    this.open = this.gate.install(this.server as unknown as Server);
  }

  enter(address: string): FakeSocket {
    const socket = new FakeSocket(address);
    this.server.emit('connection', socket);
    return socket;
  }

  leave(socket: FakeSocket): void {
    this.gate.leave(socket as unknown as Socket);
  }
}

describe('a TCP connection', () => {
  test('beyond the cap of its network is cut, and nobody behind the door sees it; another network is not', () => {
    const door = new Door();
    const [one, two, three, four] = [1, 2, 3, 4].map((i) => door.enter(`2001:db8:1:1::${i}`)) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    const other = door.enter('2001:db8:1:2::1');
    expect([one, two, three, four, other].map(({ destroyed }) => destroyed)).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
    expect(door.inside).toEqual([one, two, three, other]);
    expect(door.refused).toEqual(['address']);
  });

  test('that is over, or became a WebSocket, makes room once', () => {
    const door = new Door();
    const sockets = [1, 2, 3].map(() => door.enter('203.0.113.1')) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    door.leave(sockets[0]);
    door.leave(sockets[0]);
    sockets[0].destroy();
    expect(door.enter('203.0.113.1').destroyed).toBe(false);
    expect(door.enter('203.0.113.1').destroyed).toBe(true);
    sockets[1].destroy();
    expect(door.enter('::ffff:203.0.113.1').destroyed).toBe(false);
    expect(door.enter('203.0.113.1').destroyed).toBe(true);
  });

  test('leaves no listener on a socket that became a WebSocket', () => {
    const door = new Door();
    const socket = door.enter('203.0.113.1');
    door.leave(socket);
    expect(socket.listenerCount('close')).toBe(0);
  });

  test('under TLS is found by the socket that TLS made of it', () => {
    const door = new Door();
    const raw = [1, 2, 3].map(() => door.enter('203.0.113.1')) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    door.leave(new FakeSocket('203.0.113.1', raw[0]));
    expect(door.enter('203.0.113.1').destroyed).toBe(false);
    expect(door.enter('203.0.113.1').destroyed).toBe(true);
  });

  test('of a trusted proxy counts in all only', () => {
    const door = new Door();
    const sockets = Array.from({ length: IN_ALL + 1 }, () => door.enter(PROXY));
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([...Array(IN_ALL).fill(false), true]);
    expect(door.enter('203.0.113.1').destroyed).toBe(true);
    expect(door.refused).toEqual(['node', 'node']);
  });

  test('that is handed in again is the same one', () => {
    const door = new Door();
    const sockets = [1, 2, 3].map(() => door.enter('203.0.113.1')) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    door.server.emit('connection', sockets[0]);
    expect(sockets[0].destroyed).toBe(false);
    expect(door.inside).toHaveLength(4);
  });

  test('is let through when the door is taken away', () => {
    const door = new Door();
    door.open();
    expect([1, 2, 3, 4].map(() => door.enter('203.0.113.1').destroyed)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(door.inside).toHaveLength(4);
  });
});

test('on a real server: what is cut hears the end, what is in goes on', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).write('hello'));
  const config = {
    connectionsMax: IN_ALL,
    connectionsPerIpMax: PER_NETWORK,
    trustedProxies: [] as string[],
  } as unknown as Config;
  new TcpGate(config, new ClientAddresses(config), {
    tcpRefused: { inc: () => undefined },
  } as unknown as Metrics).install(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const heard = await Promise.all(
    Array.from({ length: PER_NETWORK + 2 }, () => {
      const socket = connect(port, '127.0.0.1');
      return new Promise<string>((resolve) => {
        socket
          .on('data', () => resolve('hello'))
          .on('error', () => resolve('end'))
          .on('end', () => resolve('end'));
      }).then((word) => ({ word, socket }));
    }),
  );
  expect(heard.filter(({ word }) => word === 'hello')).toHaveLength(PER_NETWORK);
  expect(heard.filter(({ word }) => word === 'end')).toHaveLength(2);
  for (const { socket } of heard) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
