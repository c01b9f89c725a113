/**
 * Socket.IO as its own advice has it: WebSocket only, no compression, the HTTP request dropped.
 * Installed beside, not with, the project.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { verifyToken } from './verify-token.mjs';

const { Server } = createRequire(process.env.PEERS_DIR)('socket.io');
const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
});
io.engine.on('connection', (raw) => {
  raw.request = null;
});
io.use((socket, next) => {
  const claims = verifyToken(socket.handshake.auth.token);
  if (claims === null) return next(new Error('unauthorized'));
  socket.data.user = claims.sub;
  next();
});
io.on('connection', (socket) => {
  socket.on('join', (room, answer) => {
    void socket.join(room);
    answer('ok');
  });
  socket.on('publish', (room, body) => {
    io.to(room).emit('message', { room, sender: socket.data.user, body });
  });
});
http.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 });
