/**
 * Socket.IO with sessions in a store, as its guide "How to use with express-session" shows it: the
 * session is read at the handshake, read again before each event and every 30 s, and a logout
 * destroys it and disconnects its sockets.
 */
import { createRequire } from 'node:module';
import { SECRET, applicationServer, listen } from './application.mjs';
import { serveRooms } from './socket-io-rooms.mjs';

const RELOAD_MS = 30_000;
const load = createRequire(process.env.FIELD_PACKAGES ?? '');
const { Server } = load('socket.io');
const expressSession = load('express-session');
const { sign } = load('cookie-signature');

const store = new expressSession.MemoryStore();
const session = expressSession({ secret: SECRET, resave: false, saveUninitialized: false, store });

const http = applicationServer({
  // The "token" is the cookie of a session; its claims say no more than when the session ends.
  async sign({ sub, sid, exp }) {
    const cookie = { originalMaxAge: exp * 1000 - Date.now(), expires: new Date(exp * 1000) };
    await new Promise((resolve) => store.set(sid, /** @type {any} */ ({ cookie, sub }), resolve));
    const claims = Buffer.from(JSON.stringify({ sid, exp })).toString('base64url');
    return `session.${claims}.${encodeURIComponent(`s:${sign(sid, SECRET)}`)}`;
  },
  async logout({ sid }) {
    await new Promise((resolve) => store.destroy(sid, resolve));
    io.to(sid).disconnectSockets();
  },
  remove: (user, room) => io.in(`user:${user}`).socketsLeave(room),
});
const io = new Server(http, { serveClient: false });
io.engine.use((request, response, next) => {
  const token = request.headers.authorization?.slice('bearer '.length) ?? '';
  request.headers.cookie = `connect.sid=${token.split('.').slice(2).join('.')}`;
  session(request, response, next);
});
io.use((socket, next) =>
  socket.request.session?.sub ? next() : next(new Error('not authenticated')),
);
io.on('connection', (socket) => {
  const { request } = socket;
  const { sub } = request.session;
  void socket.join([`user:${sub}`, request.session.id]);
  const reload = (then) =>
    request.session.reload((error) => (error ? socket.disconnect() : then?.()));
  const timer = setInterval(() => reload(), RELOAD_MS);
  socket.on('disconnect', () => clearInterval(timer));
  socket.use((event, next) => reload(next));
  serveRooms(io, socket, sub);
});
listen(http);
