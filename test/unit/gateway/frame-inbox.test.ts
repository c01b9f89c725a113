/**
 * The inbox behind a real WebSocket: never over its bound, however frames come, and nothing is lost
 * or out of order.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from '@wardroom/protocol/limits';
import { FrameInbox } from '../../../src/gateway/connection/frame-inbox.js';
import { ReadTurns } from '../../../src/gateway/connection/read-turns.js';

const FRAME_BYTES_MAX = 65_536;
const READ_BYTES = 65_536;
const TOTAL_BYTES = 4 * 1024 * 1024;

/** A connection of `ws`, both of its ends in this process. */
async function connected(): Promise<{ client: WebSocket; socket: WebSocket; close: () => void }> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
  });
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  const close = (): void => {
    client.terminate();
    server.close();
  };
  return { client, socket, close };
}

describe('frames of', () => {
  test.each([50, 1_000, 16_000, 65_536])(
    '%i bytes: at most 256 KiB wait, the socket is read again when they are handled',
    async (size) => {
      const { client, socket, close } = await connected();
      const inbox = new FrameInbox(socket, FRAME_BYTES_MAX);
      let most = 0;
      let paused = 0;
      socket.on('message', (data: Buffer) => {
        inbox.push(data);
        most = Math.max(most, inbox.bytes);
        if (inbox.paused) paused += 1;
      });
      const count = Math.min(Math.ceil(TOTAL_BYTES / size), 20_000);
      for (let i = 0; i < count; i += 1) client.send(String(i).padEnd(size, ' '));

      for (let next = 0; next < count;) {
        const frame = inbox.shift();
        if (frame === undefined) await nextTurn();
        else {
          // Not `expect` for each of so many: that costs more than the inbox.
          if (Number(frame.toString()) !== next) throw new Error(`${next} is lost or out of order`);
          next += 1;
          // Slower than they come.
          if (next % 10 === 0) await nextTurn();
        }
      }
      expect(most).toBeLessThanOrEqual(LIMITS.inboxBytes);
      if (count * size > 2 * LIMITS.inboxBytes) expect(paused).toBeGreaterThan(0);
      expect([inbox.bytes, inbox.length, inbox.paused]).toEqual([0, 0, false]);
      close();
    },
  );
});

test.each([125, 60_000])(
  'of frames of %i bytes that have come, one turn of the event loop reads a bounded part',
  async (size) => {
    const { client, socket, close } = await connected();
    const inbox = new FrameInbox(socket, FRAME_BYTES_MAX);
    const reads = new ReadTurns();
    const counts: number[] = [];
    let inTurn = 0;
    let read = 0;
    socket.on('message', (data: Buffer) => {
      reads.note(inbox, data.length);
      inTurn += 1;
      read += 1;
    });
    const count = Math.ceil(TOTAL_BYTES / size);
    for (let i = 0; i < count; i += 1) client.send(Buffer.alloc(size));
    while (read < count) {
      await nextTurn();
      counts.push(inTurn * size);
      inTurn = 0;
    }
    // The bytes of one read, and those read before the socket could be stopped.
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * READ_BYTES + size);
    await nextTurn();
    expect(inbox.paused).toBe(false);
    close();
  },
);

test('a dropped frame is not handled, and the socket is read on', () => {
  const calls: string[] = [];
  const inbox = new FrameInbox(
    { pause: () => calls.push('pause'), resume: () => calls.push('resume') },
    FRAME_BYTES_MAX,
  );
  for (let i = 0; i < 3; i += 1) inbox.push(Buffer.alloc(60_000));
  expect(calls).toEqual(['pause']);
  inbox.drop();
  expect(calls).toEqual(['pause', 'resume']);
  expect(inbox.shift()).toBeUndefined();
  inbox.push(Buffer.alloc(10));
  expect(calls).toHaveLength(2);
});
