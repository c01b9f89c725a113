/**
 * What waits to be written to one socket. At most 64 KiB are handed to the socket at a time; the rest stays here, where it
 * can still be taken back. One buffer is the usual case and costs no array.
 */
import type { Socket } from 'node:net';
import { LIMITS } from '../protocol/limits.js';
import type { RoomChannel } from './room-channel.js';

/** What a room says once, to who is there: signals, typing, presence, read markers. Never kept for later. */
export class Passing {
  constructor(readonly room: RoomChannel) {}
}

/** Where a frame came from. `answer`: one about a room, held like its events. Null: it is about the connection itself. */
export type Source = RoomChannel | Passing | 'answer' | null;

interface Rest {
  buffers: Buffer[];
  from: Source[];
}

export class OutboundQueue {
  bytes = 0;
  private first: Buffer | null = null;
  private firstFrom: Source = null;
  private rest: Rest | null = null;

  constructor(private readonly socket: Socket) {}

  get empty(): boolean {
    return this.first === null;
  }

  /** `from`: what may hold it back or take it back. */
  push(buffer: Buffer, from: Source): void {
    this.bytes += buffer.length;
    if (this.first === null) {
      this.first = buffer;
      this.firstFrom = from;
      return;
    }
    this.rest ??= { buffers: [], from: [] };
    this.rest.buffers.push(buffer);
    this.rest.from.push(from);
  }

  /** Writes as much as the socket should have in one call. False: something is left, the socket is full. */
  write(): boolean {
    if (this.first === null) return true;
    if (this.socket.writableLength > LIMITS.socketBytes) return false;
    if (this.rest === null) {
      this.socket.write(this.first);
      this.clear();
      return true;
    }
    const all = [this.first, ...this.rest.buffers];
    let count = 0;
    let bytes = 0;
    while (count < all.length && (count === 0 || bytes + all[count]!.length <= LIMITS.socketBytes)) bytes += all[count++]!.length;
    this.socket.write(count === 1 ? this.first : Buffer.concat(count === all.length ? all : all.slice(0, count), bytes));
    if (count === all.length) {
      this.clear();
      return true;
    }
    this.keep((index) => index >= count);
    return false;
  }

  /** Frames about the connection itself go out while room data is held. */
  writeOwn(): void {
    for (const { buffer, from } of this.entries()) if (from === null) this.socket.write(buffer);
    this.keep((_, from) => from !== null);
  }

  /** Takes back what came from a room. */
  drop(room: RoomChannel): void {
    if (this.first !== null) this.keep((_, from) => from !== room && !(from instanceof Passing && from.room === room));
  }

  dropPassing(): void {
    if (this.first !== null) this.keep((_, from) => !(from instanceof Passing));
  }

  clear(): void {
    this.first = null;
    this.firstFrom = null;
    this.rest = null;
    this.bytes = 0;
  }

  private keep(keeps: (index: number, from: Source) => boolean): void {
    const kept = this.entries().filter(({ from }, index) => keeps(index, from));
    this.clear();
    for (const { buffer, from } of kept) this.push(buffer, from);
  }

  private entries(): { buffer: Buffer; from: Source }[] {
    if (this.first === null) return [];
    const rest = this.rest?.buffers.map((buffer, i) => ({ buffer, from: this.rest!.from[i] ?? null })) ?? [];
    return [{ buffer: this.first, from: this.firstFrom }, ...rest];
  }
}
