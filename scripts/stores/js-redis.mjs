/** The Redis of last resort, as a process of its own: `node js-redis.mjs <port>`. */
import { Server } from 'node:net';
import { createRedisServer } from 'js-redis-server';

/**
 * It knows no password, listens on every interface and cannot be told otherwise: nobody but this
 * machine is to reach it.
 */
const listen = Reflect.get(Server.prototype, 'listen');
Reflect.set(Server.prototype, 'listen', function (/** @type {number} */ port) {
  return Reflect.apply(listen, this, [port, '127.0.0.1']);
});

const server = await createRedisServer({ port: Number(process.argv[2]) });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    void server.close?.();
    process.exit(0);
  });
}
