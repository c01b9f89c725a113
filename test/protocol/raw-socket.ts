/**
 * A WebSocket peer made of bytes: for what no library does - broken frames, frames in one packet
 * with the handshake, a peer that does not read.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach } from '@jest/globals';
import { noteFrames, noteSaid, noteTokens } from '../support/secrets.mjs';
import { within } from './harness.js';

export const OP = { text: 1, binary: 2, close: 8, ping: 9 } as const;

const opened: Socket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

export interface FrameShape {
  op?: number;
  fin?: boolean;
  mask?: boolean;
  reserved?: number;
}

/** One WebSocket frame as a client sends it, or not quite. */
export function bytesOf(
  payload: string | Buffer,
  { op = OP.text, fin = true, mask = true, reserved = 0 }: FrameShape = {},
): Buffer {
  const data = Buffer.from(payload);
  const length =
    data.length < 126
      ? [data.length]
      : data.length < 65_536
        ? [126, data.length >> 8, data.length & 255]
        : [127, 0, 0, 0, 0, ...uint32(data.length)];
  const head = [
    (fin ? 0x80 : 0) | (reserved << 4) | op,
    (mask ? 0x80 : 0) | length[0]!,
    ...length.slice(1),
  ];
  if (!mask) return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, data.map((byte, i) => byte ^ key[i % 4]!)]);
}

export const jsonBytes = (...frames: unknown[]): Buffer =>
  Buffer.concat(frames.map((frame) => bytesOf(JSON.stringify(frame))));

export class RawSocket {
  readonly frames: any[] = [];
  /** Status line and headers of the HTTP answer. */
  head = '';
  /** The bytes after a head that is no upgrade. */
  body = '';
  close: { code: number; raw: string } | null = null;
  readonly ended: Promise<void>;
  private bytes = Buffer.alloc(0);
  private wake: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.read();
    });
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.body = this.head.includes(' 101 ') ? '' : this.bytes.toString();
        noteFrames(this.frames);
        noteSaid(`${this.head}\n${this.body}\n${this.close?.raw ?? ''}`);
        resolve();
        this.stir();
      });
    });
  }

  /** Writes the request and, in the same packet, `more`. */
  static open(
    url: string,
    {
      path = '/v1/ws',
      method = 'GET',
      headers = {},
      more = Buffer.alloc(0),
    }: { path?: string; method?: string; headers?: Record<string, string>; more?: Buffer } = {},
  ): RawSocket {
    const { hostname, port, host } = new URL(url);
    const all: Record<string, string> = {
      Host: host,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const lines = Object.entries(all)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name}: ${value}\r\n`);
    noteTokens(`${path} ${lines.join('')} ${more.toString('latin1')}`);
    const peer = new RawSocket(connect(Number(port), hostname));
    opened.push(peer.socket);
    peer.socket.write(
      Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), more]),
    );
    return peer;
  }

  send(...frames: unknown[]): void {
    this.socket.write(jsonBytes(...frames));
  }

  /** Waits until something holds of what has arrived. */
  async until(what: string, holds: (peer: RawSocket) => boolean): Promise<void> {
    await within(
      (async () => {
        while (!holds(this)) await new Promise<void>((resolve) => this.wake.push(resolve));
      })(),
      `${what}; got ${this.head} ${JSON.stringify(this.frames)}`,
    );
  }

  async untilClosed(): Promise<{ code: number; reason: any }> {
    await this.until('close frame', () => this.close !== null);
    return { code: this.close!.code, reason: JSON.parse(this.close!.raw) };
  }

  private read(): void {
    if (this.head === '') {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.head = this.bytes.subarray(0, end).toString();
      this.bytes = this.bytes.subarray(end + 4);
    }
    while (this.head.includes(' 101 ') && this.take());
    this.stir();
  }

  /** One frame; false while it is not all there. Servers do not mask. */
  private take(): boolean {
    if (this.bytes.length < 2) return false;
    const short = this.bytes[1]!;
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.bytes.length < headBytes) return false;
    const length =
      short < 126
        ? short
        : short === 126
          ? this.bytes.readUInt16BE(2)
          : Number(this.bytes.readBigUInt64BE(2));
    if (this.bytes.length < headBytes + length) return false;
    const payload = this.bytes.subarray(headBytes, headBytes + length);
    const op = this.bytes[0]! & 15;
    this.bytes = this.bytes.subarray(headBytes + length);
    if (op === OP.text) this.frames.push(JSON.parse(payload.toString()));
    if (op === OP.close)
      this.close = {
        code: payload.length === 0 ? 1005 : payload.readUInt16BE(0),
        raw: payload.subarray(2).toString(),
      };
    return true;
  }

  private stir(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}

const uint32 = (value: number): number[] => [
  (value >>> 24) & 255,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
