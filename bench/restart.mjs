/** W7: how long until everybody is back? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'restart',
  title: 'kill -9 and restart under 5,000 clients',
  text: 'From the first lost connection until all 5,000 are connected, authenticated and subscribed again. The server is started again at once; clients come back within 200 ms and keep trying.',
  load: { subscribers: 5_000, rooms: 500, restart: true },
  quick: { subscribers: 1_000 },
  peers: ['ws-framed', 'socket.io', 'nest-tutorial', 'nats', 'wardroom-signal'],
  figures: ['all_back_s', 'cpu_ms_per_connect'],
});
