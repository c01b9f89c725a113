import { load, missingPackages, versionOf } from '../packages.mjs';
import { Seat } from './adapter.mjs';
import { nodeProgram, startApplication } from './application.mjs';

/** With the client of Socket.IO, which is not to reconnect by itself. */
async function connect(port, token) {
  const socket = load('socket.io-client').io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: { authorization: `bearer ${token}` },
  });
  const seat = new Seat();
  let refs = 0;
  socket.on('message', ({ body }) => seat.message(body));
  socket.on('disconnect', (reason) => seat.end(reason, reason));
  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      socket.on('connect', resolve);
      socket.on('connect_error', (error) => reject(new Error(`refused: ${error.message}`)));
      socket.on('disconnect', (why) => reject(new Error(`refused: ${why}`)));
    })
  );
  const ask = (event, ...args) => {
    const ref = (refs += 1);
    if (socket.connected)
      socket.emit(event, ...args, (said) =>
        seat.answer(ref, said === 'done' ? 'accepted' : 'refused'),
      );
    return seat.answerTo(ref);
  };
  return Object.assign(seat, {
    async join(room) {
      const answer = await ask('join', room);
      if (answer !== 'accepted') throw new Error(`join was ${answer}`);
    },
    publish: (room, body, id) => ask('publish', room, body, id),
    close: () => socket.io.engine.close(),
  });
}

const means = {
  remove: '`io.in(user).socketsLeave(room)`',
  repeat: 'a client offset that is stored once',
};
const ends = 'https://socket.io/docs/v4/server-instance/';
const offsets = 'https://socket.io/docs/v4/tutorial/step-8';
const version = () => `socket.io ${versionOf('socket.io')}`;

/** @type {import('./adapter.mjs').Adapter} */
export const socketIo = {
  name: 'socket-io',
  title: 'Socket.IO, JWT',
  nodes: 1,
  docs: ['https://socket.io/how-to/use-with-jwt', ends, offsets],
  setUp:
    'A middleware of the engine verifies the token at the handshake; a socket joins a room of its user and one of its session. WebSocket only, the client of Socket.IO.',
  means: { logout: '`io.in(session).disconnectSockets()`', ...means },
  version,
  missing: missingPackages,
  start: (folder) =>
    startApplication({ name: 'socket-io', program: nodeProgram('socket-io.mjs'), folder, connect }),
};

/** @type {import('./adapter.mjs').Adapter} */
export const socketIoSession = {
  name: 'socket-io-session',
  title: 'Socket.IO, sessions',
  nodes: 1,
  docs: ['https://socket.io/how-to/use-with-express-session', ends, offsets],
  setUp:
    'Sessions of `express-session` in its memory store: read at the handshake, before each event and every 30 s. What expires is the session. WebSocket only, the client of Socket.IO.',
  means: {
    logout: '`session.destroy()` and `io.to(session).disconnectSockets()`',
    ...means,
  },
  version: () => `${version()}, express-session ${versionOf('express-session')}`,
  missing: missingPackages,
  start: (folder) =>
    startApplication({
      name: 'socket-io-session',
      program: nodeProgram('socket-io-session.mjs'),
      folder,
      connect,
    }),
};
