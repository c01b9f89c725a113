/**
 * CONNECT as nearly every client begins it: the whole head of the upgrade in the first bytes of a TCP connection, read here and
 * not by node:http, whose part of a handshake is thereby saved (ADR 0019). Whatever is not exactly that goes to node:http
 * as it came, so nothing is refused, and nothing understood otherwise, than it would have been.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { monotonicMs } from '../platform/clock.js';
import { detached } from '../platform/text.js';
import { WS_ALIAS, WS_PATH } from '../protocol/limits.js';
import { asksForWebSocket } from './other-upgrades.js';

/** What a handshake reads of its request. */
export type UpgradeRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;
type OnUpgrade = (request: UpgradeRequest, socket: Socket, head: Buffer) => void;

/** Who says nothing for so long is node:http's, which has its own patience. */
const SILENT_MS = 1_000;
const HEAD_BYTES_MAX = 8_192;
/** Of the query only what means the same to everybody. */
const REQUEST_LINE = new RegExp(`^GET ((?:${WS_PATH}|${WS_ALIAS})(?:\\?[\\w.~%&=+-]*)?) HTTP/1\\.1\\r\\n`);
/** A name, and a value of visible ASCII without space around it. */
const HEADER = /^([!#$%&'*+.^_`|~\w-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;
/** A body, or what node:http would not keep as one string. */
const NOT_PLAIN: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'set-cookie']);
/** A connection knows these for as long as it lives, and must not keep the credentials beside them. */
const OUTLIVE: ReadonlySet<string> = new Set(['origin', 'x-forwarded-for']);
const UPGRADES = /^(?:keep-alive, ?)?upgrade$/i;

/** Null: for node:http. */
export function readPlainUpgrade(bytes: Buffer, socket: Socket): { request: UpgradeRequest; head: Buffer } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1 || end > HEAD_BYTES_MAX) return null;
  const text = bytes.toString('latin1', 0, end);
  const line = REQUEST_LINE.exec(text);
  if (line === null) return null;
  const headers: Record<string, string> = {};
  for (const header of text.slice(line[0].length).split('\r\n')) {
    const parts = HEADER.exec(header);
    if (parts === null) return null;
    const name = parts[1]!.toLowerCase();
    // Twice, or one that every object has.
    if (name in headers || NOT_PLAIN.has(name)) return null;
    headers[name] = OUTLIVE.has(name) ? detached(parts[2]!) : parts[2]!;
  }
  if (!UPGRADES.test(headers['connection'] ?? '') || !asksForWebSocket({ headers })) return null;
  return { request: { method: 'GET', url: line[1]!, headers, socket }, head: bytes.subarray(end + 4) };
}

/** Reads the first bytes of every connection to `http`. Answers with a function that gives connections back to node:http and ends those that said nothing. */
export function takePlainUpgrades(http: Server, upgrade: OnUpgrade): () => void {
  const [toHttp] = http.listeners('connection') as [(this: Server, socket: Socket) => void];
  /** Since when, monotonic ms; the oldest first. */
  const silent = new Map<Socket, number>();

  function onConnection(socket: Socket): void {
    silent.set(socket, monotonicMs());
    socket.on('data', onBytes).on('end', onEnd).on('error', onError);
  }

  function onBytes(this: Socket, bytes: Buffer): void {
    leave(this);
    // Until somebody else reads on.
    this.pause();
    const plain = readPlainUpgrade(bytes, this);
    if (plain !== null) return upgrade(plain.request, this, plain.head);
    this.unshift(bytes);
    handOver(this);
  }

  function onEnd(this: Socket): void {
    leave(this);
    this.destroy();
  }

  function onError(this: Socket): void {
    leave(this);
  }

  function leave(socket: Socket): void {
    silent.delete(socket);
    socket.off('data', onBytes).off('end', onEnd).off('error', onError);
  }

  function handOver(socket: Socket): void {
    toHttp.call(http, socket);
    socket.resume();
  }

  function handOverOld(): void {
    const before = monotonicMs() - SILENT_MS;
    for (const [socket, sinceMs] of silent) {
      if (sinceMs > before) return;
      leave(socket);
      handOver(socket);
    }
  }

  http.off('connection', toHttp).on('connection', onConnection);
  const timer = setInterval(handOverOld, SILENT_MS).unref();

  return () => {
    clearInterval(timer);
    http.off('connection', onConnection).on('connection', toHttp);
    for (const socket of silent.keys()) socket.destroy();
  };
}
