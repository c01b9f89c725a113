import { load, missingPackages, versionOf } from '../packages.mjs';
import { Seat } from './adapter.mjs';
import { nodeProgram, startApplication } from './application.mjs';

/** With the client of SocketCluster, which is not to reconnect by itself. */
async function connect(port, token) {
  const socket = load('socketcluster-client').create({
    hostname: '127.0.0.1',
    port,
    autoReconnect: false,
    // The token is in memory, where a browser has it in localStorage.
    authEngine: {
      saveToken: async (_name, value) => value,
      removeToken: async () => null,
      loadToken: async () => token,
    },
  });
  const seat = new Seat();
  let refs = 0;
  const hear = (stream, what) =>
    void (async () => {
      for await (const event of stream) what(event);
    })();
  const state = await new Promise((resolve, reject) => {
    hear(socket.listener('error'), () => {});
    hear(socket.listener('connect'), resolve);
    hear(socket.listener('connectAbort'), ({ code }) => reject(new Error(`refused: ${code}`)));
    hear(socket.listener('disconnect'), ({ code, reason }) => seat.end(code, String(reason)));
    hear(socket.listener('deauthenticate'), () => seat.tell('deauthenticate'));
    hear(socket.listener('kickOut'), () => seat.tell('kickOut'));
  });
  if (!state.isAuthenticated) {
    socket.disconnect();
    throw new Error('refused: not authenticated');
  }
  return Object.assign(seat, {
    async join(room) {
      const channel = socket.subscribe(room);
      hear(channel, ({ body }) => seat.message(body));
      await channel.listener('subscribe').once(2_000);
    },
    publish(room, body) {
      const ref = (refs += 1);
      if (socket.state === socket.OPEN)
        socket.invokePublish(room, { body }).then(
          () => seat.answer(ref, 'accepted'),
          () => seat.answer(ref, 'refused'),
        );
      return seat.answerTo(ref);
    },
    close: () => socket.disconnect(),
  });
}

/** @type {import('./adapter.mjs').Adapter} */
export const socketcluster = {
  name: 'socketcluster',
  title: 'SocketCluster',
  nodes: 1,
  docs: [
    'https://socketcluster.io/docs/authentication',
    'https://socketcluster.io/docs/middleware-and-authorization',
    'https://socketcluster.io/docs/api-ag-server-socket',
  ],
  setUp:
    'The server verifies the token at the handshake; middleware allows publishes and subscriptions to an authenticated member, and lets nothing out to a socket that is not authenticated. The client of SocketCluster.',
  means: {
    logout: '`socket.deauthenticate()` and `socket.disconnect()` on the sockets of the session',
    remove: '`socket.kickOut(channel)` on the sockets of the user',
    repeat: null,
  },
  version: () => `socketcluster-server ${versionOf('socketcluster-server')}`,
  missing: missingPackages,
  start: (folder) =>
    startApplication({
      name: 'socketcluster',
      program: nodeProgram('socketcluster.mjs'),
      folder,
      connect,
    }),
};
