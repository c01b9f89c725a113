/** The Redis of last resort, as a process of its own: `node js-redis.mjs <port>`. */
import { createRedisServer } from 'js-redis-server';

const server = await createRedisServer({ host: '127.0.0.1', port: Number(process.argv[2]) });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    void server.close?.();
    process.exit(0);
  });
}
