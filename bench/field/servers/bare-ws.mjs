/**
 * `ws` as its README shows it: the client is authenticated at the upgrade, a loop sends to every
 * member, a ping every 30 s finds broken connections. The README has no rooms and no means to end
 * the connections of a session.
 */
import { jwtVerify } from 'jose';
import { WebSocketServer } from 'ws';
import { SECRET, applicationServer, isMember, listen } from './application.mjs';

const PING_MS = 30_000;
const secret = new TextEncoder().encode(SECRET);
const rooms = new Map();

function onMessage(client, { type, room, body, ref }) {
  const members = rooms.get(room);
  if (type === 'join' && isMember(client.user, room)) {
    if (members === undefined) rooms.set(room, new Set([client]));
    else members.add(client);
  } else if (type === 'publish' && members?.has(client)) {
    const text = JSON.stringify({ type: 'message', room, sender: client.user, body });
    for (const member of members) member.send(text);
  } else return client.send(JSON.stringify({ type: 'refused', ref }));
  client.send(JSON.stringify({ type: 'done', ref }));
}

const wss = new WebSocketServer({ noServer: true });
wss.on('connection', (/** @type {any} */ client) => {
  client.isAlive = true;
  client.on('error', () => {});
  client.on('pong', () => (client.isAlive = true));
  client.on('message', (data) => onMessage(client, JSON.parse(String(data))));
  client.on('close', () => {
    for (const members of rooms.values()) members.delete(client);
  });
});
setInterval(() => {
  for (const client of wss.clients) {
    const ws = /** @type {any} */ (client);
    if (!ws.isAlive) ws.terminate();
    else {
      ws.isAlive = false;
      ws.ping();
    }
  }
}, PING_MS);

const http = applicationServer();
http.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  const token = request.headers.authorization?.replace(/^bearer /i, '') ?? '';
  jwtVerify(token, secret, { algorithms: ['HS256'] }).then(
    ({ payload }) =>
      wss.handleUpgrade(request, socket, head, (client) => {
        wss.emit('connection', Object.assign(client, { user: payload.sub }), request);
      }),
    () => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'),
  );
});
listen(http);
