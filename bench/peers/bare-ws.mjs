/**
 * The floor: a room server of `ws` and nothing else - a token at the handshake, no policy, no
 * store, no limits. MODE says how it writes a message: `naive` client.send(string) in a loop;
 * `framed` the frame built once, one socket.write per member; `batched` as framed, and what one
 * turn of the event loop produced for a room leaves in one write per member. With REDIS_URL there
 * are other nodes: a message goes to the room's channel, and whoever listens, the sender's node
 * too, writes what comes from there.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { encodeTextFrame } from './text-frame.mjs';
import { verifyToken } from './verify-token.mjs';

const mode = process.env.MODE;
const redis =
  process.env.REDIS_URL === undefined ? null : await connectRedis(process.env.REDIS_URL);
const rooms = new Map();
let dirty = [];

async function connectRedis(url) {
  const { Redis } = await import('ioredis');
  const subscriber = new Redis(url);
  subscriber.on('message', (name, text) => broadcast(rooms.get(name), text));
  return { publisher: new Redis(url, { enableAutoPipelining: true }), subscriber };
}

function broadcast(room, text) {
  if (mode === 'naive') {
    for (const client of room.members) client.send(text);
    return;
  }
  const frame = encodeTextFrame(text);
  if (mode === 'framed') return writeTo(room.members, frame);
  if (room.pending.push(frame) > 1) return;
  if (dirty.push(room) === 1) setImmediate(flush);
}

function flush() {
  const batch = dirty;
  dirty = [];
  for (const room of batch) {
    const frames = room.pending;
    room.pending = [];
    writeTo(room.members, frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }
}

function writeTo(members, buffer) {
  for (const client of members) client._socket.write(buffer);
}

function onMessage(data) {
  const frame = JSON.parse(data);
  let room = rooms.get(frame.room);
  if (room === undefined) rooms.set(frame.room, (room = { members: new Set(), pending: [] }));
  if (frame.type === 'publish') {
    const text = JSON.stringify({
      type: 'message',
      room: frame.room,
      sender: this.user,
      body: frame.body,
    });
    if (redis === null) broadcast(room, text);
    else void redis.publisher.publish(frame.room, text);
  } else if (frame.type === 'join') void join(this, frame.room, room);
}

async function join(client, name, room) {
  if (redis !== null && room.members.size === 0) await redis.subscriber.subscribe(name);
  room.members.add(client);
  client.room = room;
  client.send('{"type":"joined"}');
}

function onClose() {
  this.room?.members.delete(this);
}

const http = createServer((request, response) => response.writeHead(404).end());
const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 65_536,
  clientTracking: false,
});
http.on('upgrade', (request, socket, head) => {
  const claims = verifyToken(request.headers.authorization?.slice('Bearer '.length));
  if (claims === null) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  server.handleUpgrade(request, socket, head, (client) => {
    Object.assign(client, { user: claims.sub });
    client.on('message', onMessage);
    client.on('close', onClose);
    client.on('error', () => {});
  });
});
http.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 });
