/**
 * One raw WebSocket of the load: speaks its script, counts what it hears. Frames are masked with a
 * key of zeros: a server cannot tell.
 */
import { connect } from 'node:net';

/** All sockets read into one buffer, one after the other. */
const READ = Buffer.allocUnsafeSlow(256 * 1024);
/** When a server that is overloaded is asked again. */
export const RETRY_AFTER_MS = 250;

/** One WebSocket, parsed just far enough to find its messages. */
export class Client {
  isReady = false;
  inFlight = 0;
  lastPublish = 0;
  closeCode = 0;
  turnedAway = false;
  attempts = 0;
  heard = '';
  onClosed = null;
  step = 0;
  rest = null;
  upgraded = false;
  turn = 0;
  /** The last number heard in its room, where the load asks to continue after a reconnect. */
  lastSeq = -1;

  constructor(load, index) {
    this.load = load;
    this.index = index;
    const { subscribers, publishers, rooms } = load.spec;
    this.isPublisher = index >= subscribers;
    const place = this.isPublisher ? index - subscribers : index;
    this.room = place % rooms;
    this.owned =
      this.isPublisher && publishers < rooms ? Math.floor((rooms - 1 - place) / publishers) + 1 : 1;
  }

  /** Publishers own every `publishers`-th room and take them in turn. */
  nextRoom() {
    const { subscribers, publishers } = this.load.spec;
    if (this.owned === 1) return this.room;
    const room = this.index - subscribers + this.turn * publishers;
    this.turn = (this.turn + 1) % this.owned;
    return room;
  }

  get script() {
    return this.isPublisher ? this.load.spec.publisherScript : this.load.spec.subscriberScript;
  }

  fill(template, room) {
    const { tokens, spec } = this.load;
    const since = this.lastSeq < 0 ? '' : `,"since":${this.lastSeq}`;
    return template
      .replaceAll('{room}', `room${room}`)
      .replace('{since}', since)
      .replace('{token}', () => tokens[spec.users > 0 ? this.index % spec.users : this.index]);
  }

  connect() {
    const { spec } = this.load;
    this.load.opening += 1;
    Object.assign(this, { step: 0, rest: null, upgraded: false, closeCode: 0, turnedAway: false });
    const socket = connect({
      // The members of each room are spread over the nodes; publishers are on the first.
      port: spec.ports[
        this.isPublisher ? 0 : (Math.floor(this.index / spec.rooms) + this.room) % spec.ports.length
      ],
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: READ,
        callback: (length, buffer) => {
          this.read(buffer, length);
          return true;
        },
      },
    });
    this.socket = socket;
    let reason = 'closed';
    socket.on('error', (error) => (reason = error.message));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.socket === socket)
        this.load.onGone(this, `step ${this.step}: ${reason} ${this.closeCode || ''}`);
    });
    socket.on('connect', () => {
      const headers = spec.headers.map((header) => `${this.fill(header, this.room)}\r\n`).join('');
      socket.write(
        `GET ${this.fill(spec.path, this.room)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
      );
    });
  }

  read(buffer, length) {
    const now = performance.now();
    let bytes = buffer;
    let end = length;
    if (this.rest !== null) {
      bytes = Buffer.concat([this.rest, buffer.subarray(0, length)]);
      end = bytes.length;
      this.rest = null;
    }
    let at = 0;
    if (!this.upgraded) {
      const head = bytes.subarray(0, end).indexOf('\r\n\r\n');
      if (head < 0) {
        this.rest = Buffer.from(bytes.subarray(0, end));
        return;
      }
      const status = bytes.latin1Slice(0, Math.min(12, end));
      if (status !== 'HTTP/1.1 101') {
        this.turnedAway = status === 'HTTP/1.1 503';
        this.load.firstError ??= bytes.latin1Slice(0, Math.min(end, 300));
        this.socket.destroy();
        return;
      }
      this.upgraded = true;
      at = head + 4;
      this.advance();
    }
    this.load.publishing.counts.reads += 1;
    while (end - at >= 2) {
      const opcode = bytes[at] & 15;
      let size = bytes[at + 1] & 127;
      let start = at + 2;
      if (size === 126) {
        if (end - at < 4) break;
        size = bytes[at + 2] * 256 + bytes[at + 3];
        start = at + 4;
      } else if (size === 127) {
        if (end - at < 10) break;
        size = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (end - start < size) break;
      at = start + size;
      if (opcode === 1 || opcode === 2) {
        if (this.isReady) this.load.publishing.onMessage(this, bytes, start, at, now);
        else this.hear(bytes.latin1Slice(start, at));
      } else if (opcode === 8) {
        this.closeCode = size >= 2 ? bytes.readUInt16BE(start) : 1005;
        this.onClosed?.();
        this.onClosed = null;
        this.write(8, Buffer.from(bytes.subarray(start, Math.min(at, start + 2))));
      } else if (opcode === 9) this.write(10, bytes.subarray(start, at));
    }
    if (at < end) this.rest = Buffer.from(bytes.subarray(at, end));
  }

  hear(text) {
    if (this.load.spec.ping !== undefined && text === this.load.spec.ping)
      return this.send(this.load.spec.pong);
    this.heard = text.slice(0, 200);
    if (text.startsWith('{"type":"error"') && text.includes('"action":"retry"')) {
      this.load.turnedAway += 1;
      this.step -= 1;
      setTimeout(() => this.advance(), RETRY_AFTER_MS);
      return;
    }
    if (!text.includes(this.script[this.step]?.expect)) return;
    if (this.load.spec.recover) this.load.publishing.onSubscribed(this, text);
    this.step += 1;
    this.advance();
  }

  advance() {
    for (
      ;
      this.step < this.script.length && this.script[this.step].send !== undefined;
      this.step += 1
    )
      this.send(this.fill(this.script[this.step].send, this.room));
    if (this.step < this.script.length || this.isReady) return;
    this.isReady = true;
    this.load.onReady(this);
  }

  send(text) {
    this.write(this.load.spec.binary ? 2 : 1, Buffer.from(text, 'latin1'));
  }

  write(opcode, payload) {
    const { length } = payload;
    const header = length < 126 ? 6 : 8;
    const frame = Buffer.alloc(header + length);
    frame[0] = 0x80 | opcode;
    if (header === 6) frame[1] = 0x80 | length;
    else {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    }
    payload.copy(frame, header);
    this.socket.write(frame);
  }
}
