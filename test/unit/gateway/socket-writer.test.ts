/**
 * One writer, two ways to the socket: the same holds for both, on a real socket whose peer reads or
 * does not.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  SocketWriter,
  belowStream,
  throughStream,
} from '../../../src/gateway/connection/socket/socket-writer.js';
import type { Put } from '../../../src/gateway/connection/socket/socket-writer.js';

let server: Server;
const opened: Socket[] = [];

beforeAll(async () => {
  server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});
afterAll(() => void server.close());

class Writer extends SocketWriter {
  count = 0;
  onWritten: () => void = () => undefined;

  get busy(): boolean {
    return this.writing;
  }
  override write(buffer: Buffer): void {
    super.write(buffer);
  }
  override waits(nowMs: number): void {
    super.waits(nowMs);
  }
  override finish(lastWord: () => void): void {
    super.finish(lastWord);
  }
  stuck(ms: number): boolean {
    return this.stuckFor(ms);
  }
  protected written(): void {
    this.count += 1;
    this.onWritten();
  }
  /** The last write is with the kernel. */
  async free(): Promise<void> {
    while (this.busy) await nextTurn();
  }
}

describe.each<[string, Put]>([
  ['below the stream', belowStream],
  ['through the stream', throughStream],
])('%s', (_, put) => {
  async function pair(): Promise<{
    writer: Writer;
    socket: Socket;
    peer: Socket;
    read: () => Buffer;
  }> {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = await accepted;
    opened.push(peer, socket);
    for (const one of [peer, socket]) one.on('error', () => undefined);
    const chunks: Buffer[] = [];
    peer.on('data', (chunk) => chunks.push(chunk));
    return { writer: new Writer(socket, put), socket, peer, read: () => Buffer.concat(chunks) };
  }

  /** Writes until the kernel takes no more. */
  async function fill(writer: Writer): Promise<number> {
    const chunk = Buffer.alloc(262_144, 'x');
    let bytes = 0;
    for (let turns = 0; turns < 200; turns += 1) {
      if (writer.busy) {
        await nextTurn();
        continue;
      }
      turns = 0;
      writer.write(chunk);
      bytes += chunk.length;
    }
    return bytes;
  }

  test('writes arrive whole and in order, the first behind what the stream holds', async () => {
    const { writer, socket, peer, read } = await pair();
    socket.cork();
    socket.write('HTTP/1.1 101\r\n\r\n');
    writer.write(Buffer.from('first '));
    socket.uncork();
    for (let i = 0; i < 100; i += 1) {
      await writer.free();
      writer.write(Buffer.from(`${i} `));
    }
    await writer.free();
    socket.end();
    await once(peer, 'end');
    expect(read().toString()).toBe(
      `HTTP/1.1 101\r\n\r\nfirst ${Array.from({ length: 100 }, (__, i) => `${i} `).join('')}`,
    );
    expect(writer.count).toBe(101);
  });

  test('a write is under way until the kernel has it; `written` says once that it is, and the next may follow at once', async () => {
    const { writer, socket, peer, read } = await pair();
    peer.pause();
    const bytes = await fill(writer);
    expect(writer.busy).toBe(true);
    const before = writer.count;
    let after = 0;
    writer.onWritten = () => {
      writer.onWritten = () => undefined;
      after = writer.count;
      writer.write(Buffer.from('end'));
    };
    peer.resume();
    await writer.free();
    while (after === 0) await nextTurn();
    await writer.free();
    expect(after).toBe(before + 1);
    socket.end();
    await once(peer, 'end');
    expect(read().length).toBe(bytes + 3);
    expect(read().subarray(-3).toString()).toBe('end');
  });

  test('it is stuck only while something waits for a write that the peer does not take', async () => {
    const { writer, peer } = await pair();
    peer.pause();
    await fill(writer);
    expect(writer.stuck(-1)).toBe(false);
    writer.waits(performance.now());
    expect(writer.stuck(-10)).toBe(true);
    expect(writer.stuck(60_000)).toBe(false);
    peer.resume();
    await writer.free();
    expect(writer.stuck(-10)).toBe(false);
  });

  test('the last frame follows the write under way, once; the first last word counts', async () => {
    const { writer, peer } = await pair();
    const said: string[] = [];
    writer.write(Buffer.from('x'));
    await writer.free();
    writer.finish(() => said.push('at once'));
    expect(said).toEqual(['at once']);
    peer.pause();
    await fill(writer);
    const before = writer.count;
    writer.finish(() => said.push('later'));
    writer.finish(() => said.push('too late'));
    expect(said).toEqual(['at once']);
    peer.resume();
    while (said.length < 2) await nextTurn();
    expect(said).toEqual(['at once', 'later']);
    expect(writer.count).toBe(before);
  });

  test('a write that fails ends the socket and is not done', async () => {
    const { writer, socket, peer } = await pair();
    writer.write(Buffer.from('x'));
    await writer.free();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    peer.resetAndDestroy();
    const before = writer.count;
    while (!socket.destroyed) {
      if (!writer.busy) writer.write(Buffer.alloc(65_536));
      await nextTurn();
    }
    await closed;
    expect(writer.count).toBeGreaterThanOrEqual(before);
    expect(socket.destroyed).toBe(true);
  });
});
