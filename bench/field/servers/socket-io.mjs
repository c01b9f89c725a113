/**
 * Socket.IO as its guides show it: the token is verified by a middleware of the engine ("How to use
 * with JSON Web Tokens"), a socket joins a room of its user and one of its session, a logout is
 * `disconnectSockets`, a removal `socketsLeave`, and a repeated message is known by its client
 * offset (tutorial, step 8; a set stands for the unique column).
 */
import { createRequire } from 'node:module';
import { SECRET, applicationServer, listen } from './application.mjs';
import { serveRooms } from './socket-io-rooms.mjs';

const load = createRequire(process.env.FIELD_PACKAGES ?? '');
const { Server } = load('socket.io');
const jsonwebtoken = load('jsonwebtoken');

const http = applicationServer({
  logout: ({ sid }) => io.in(`session:${sid}`).disconnectSockets(),
  remove: (user, room) => io.in(`user:${user}`).socketsLeave(room),
});
const io = new Server(http, { serveClient: false });
io.engine.use((request, response, next) => {
  // A request with an engine session belongs to a handshake that has passed.
  if (new URL(request.url, 'http://field').searchParams.has('sid')) return next();
  const token = request.headers.authorization?.slice('bearer '.length) ?? '';
  jsonwebtoken.verify(token, SECRET, { algorithms: ['HS256'] }, (error, claims) => {
    if (error) return next(new Error('invalid token'));
    request.user = claims;
    next();
  });
});
io.on('connection', (socket) => {
  const { sub, sid } = socket.request.user;
  void socket.join([`user:${sub}`, `session:${sid}`]);
  serveRooms(io, socket, sub);
});
listen(http);
