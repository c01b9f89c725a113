/**
 * A small room server that keeps every rule that a trial of the field asks about, or breaks one. It
 * speaks the frames of `bench/field/adapters/bare-ws.mjs`.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { connectBare } from '../../../bench/field/adapters/bare-ws.mjs';

export const FAULTS = [
  'hears after expiry',
  'publishes after expiry',
  'is not told of the expiry',
  'hears after logout',
  'publishes after logout',
  'is not told of the logout',
  'hears after removal',
  'publishes after removal',
  'is not told of the removal',
  'opens with the token of an ended session',
  'keeps what opened during the logout',
  'repeats a message',
  'loses a message',
  'never pings',
] as const;
export type Fault = (typeof FAULTS)[number];

interface Session {
  user: string;
  sid: string;
  /** Milliseconds since the epoch. */
  until: number;
}

interface Seat extends Session {
  socket: WebSocket;
  rooms: Set<string>;
  alive: boolean;
}

const PING_MS = 100;
const LOOK_UP_MS = 10;
/** A handshake within it after a logout counts as one during the logout. */
const MEANWHILE_MS = 500;
const LONG_SECONDS = 900;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function fieldServer(fault?: Fault) {
  const breaks = (one: Fault) => fault === one;
  const members = new Map<string, Set<string>>();
  /** When it ended, by session. */
  const ended = new Map<string, number>();
  const seats = new Set<Seat>();
  const seen = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const say = (seat: Seat, frame: object) => seat.socket.send(JSON.stringify(frame));

  const mayHear = (seat: Seat, room: string) =>
    (Date.now() < seat.until || breaks('hears after expiry')) &&
    (!ended.has(seat.sid) || breaks('hears after logout')) &&
    (members.get(room)!.has(seat.user) || breaks('hears after removal'));
  const mayPublish = (seat: Seat, room: string) =>
    seat.rooms.has(room) &&
    (Date.now() < seat.until || breaks('publishes after expiry')) &&
    (!ended.has(seat.sid) || breaks('publishes after logout')) &&
    (members.get(room)!.has(seat.user) || breaks('publishes after removal'));

  function publish(room: string, body: string, id: string) {
    if (breaks('loses a message') && body.startsWith('once')) return;
    if (seen.has(id) && !breaks('repeats a message')) return;
    seen.add(id);
    for (const seat of seats)
      if (seat.rooms.has(room) && mayHear(seat, room)) say(seat, { type: 'message', body });
  }

  function onMessage(seat: Seat, text: string) {
    const { type, room, body, id, ref } = JSON.parse(text) as Record<string, string>;
    const may = type === 'join' ? members.get(room!)!.has(seat.user) : mayPublish(seat, room!);
    if (may && type === 'join') seat.rooms.add(room!);
    if (may && type === 'publish') publish(room!, body!, id!);
    // A refusal would tell of an end as well.
    if (may || fault?.startsWith('is not told') !== true)
      say(seat, { type: may ? 'done' : 'refused', ref });
  }

  const http = createServer();
  const wss = new WebSocketServer({ noServer: true });
  const read = (request: IncomingMessage): Session => {
    const token = request.headers.authorization!.slice('Bearer '.length);
    return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Session;
  };
  http.on('upgrade', (request, raw, head) => {
    const session = read(request);
    const isOver = () => {
      if (!ended.has(session.sid) || breaks('opens with the token of an ended session'))
        return false;
      const meanwhile = performance.now() - ended.get(session.sid)! < MEANWHILE_MS;
      return !(meanwhile && breaks('keeps what opened during the logout'));
    };
    if (isOver()) return raw.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    // As if a database were asked: a session may end meanwhile.
    setTimeout(() => {
      if (isOver()) return raw.destroy();
      wss.handleUpgrade(request, raw, head, (socket) => open(socket, session));
    }, LOOK_UP_MS);
  });

  function open(socket: WebSocket, session: Session) {
    const seat: Seat = { ...session, socket, rooms: new Set(), alive: true };
    if (breaks('keeps what opened during the logout') && ended.has(seat.sid))
      seat.sid = randomUUID();
    seats.add(seat);
    socket.on('message', (data) => onMessage(seat, String(data as Buffer)));
    socket.on('pong', () => (seat.alive = true));
    socket.on('close', () => seats.delete(seat));
    socket.on('error', () => undefined);
    if (!breaks('is not told of the expiry'))
      timers.add(
        setTimeout(() => say(seat, { type: 'told', what: 'expired' }), seat.until - Date.now()),
      );
  }

  const pings = setInterval(() => {
    for (const seat of breaks('never pings') ? [] : seats) {
      if (!seat.alive) seat.socket.terminate();
      seat.alive = false;
      seat.socket.ping();
    }
  }, PING_MS);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;

  return {
    ports: [port],
    login: async (user: string, { seconds = LONG_SECONDS } = {}) => {
      const until = Date.now() + seconds * 1000;
      const session: Session & { exp: number } = {
        user,
        sid: randomUUID(),
        until,
        exp: until / 1000,
      };
      return `${part({ alg: 'none' })}.${part(session)}.`;
    },
    room: async (users: string[]) => {
      const room = randomUUID();
      members.set(room, new Set(users));
      return room;
    },
    logout: async (token: string) => {
      const { sid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
      ended.set(sid, performance.now());
      for (const seat of seats)
        if (seat.sid === sid && fault?.endsWith('logout') !== true) seat.socket.close(4001);
        else if (seat.sid === sid && !breaks('is not told of the logout'))
          say(seat, { type: 'told', what: 'logout' });
    },
    remove: async (user: string, room: string) => {
      members.get(room)!.delete(user);
      for (const seat of seats)
        if (seat.user === user && seat.rooms.has(room) && !breaks('is not told of the removal'))
          say(seat, { type: 'told', what: 'removed' });
    },
    connect: (token: string, { port: through = port } = {}) => connectBare(through, token),
    stop: async () => {
      clearInterval(pings);
      for (const timer of timers) clearTimeout(timer);
      for (const { socket } of seats) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
