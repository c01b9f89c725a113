/**
 * SocketCluster as its guides show it: tokens of `auth.signToken`, verified by the server at the
 * handshake; middleware allows publishes and subscriptions to an authenticated member, and lets
 * nothing out to a socket that is not authenticated. A logout is `deauthenticate` and `disconnect`,
 * a removal `kickOut`.
 */
import { createRequire } from 'node:module';
import { SECRET, applicationServer, isMember, listen } from './application.mjs';

const load = createRequire(process.env.FIELD_PACKAGES ?? '');
const http = applicationServer({
  sign: ({ sub, sid, exp }) => server.auth.signToken({ sub, sid, exp }, server.signatureKey),
  async logout({ sid }) {
    for (const socket of sockets(({ authToken }) => authToken?.sid === sid)) {
      await socket.deauthenticate();
      socket.disconnect();
    }
  },
  async remove(user, room) {
    for (const socket of sockets(({ authToken }) => authToken?.sub === user))
      await socket.kickOut(room, 'removed');
  },
});
const server = load('socketcluster-server').attach(http, { authKey: SECRET });
const sockets = (which) => Object.values(server.clients).filter(which);

server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
  for await (const action of stream) {
    const { type, socket, channel } = action;
    const guarded = type === action.PUBLISH_IN || type === action.SUBSCRIBE;
    if (guarded && !(socket.authToken && isMember(socket.authToken.sub, channel)))
      action.block(Object.assign(new Error('not authorized'), { name: 'AuthorizationError' }));
    else action.allow();
  }
});
server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
  for await (const action of stream) {
    if (action.socket.authToken) action.allow();
    else action.block(Object.assign(new Error('not authenticated'), { name: 'AuthError' }));
  }
});
// Refusals are told to the client; nobody else listens.
void (async () => {
  for await (const { error } of server.listener('error')) console.error(error.message);
})();
listen(http);
