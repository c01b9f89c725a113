/** W4: what does a connection cost that says nothing? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'idle-memory',
  title: '10,000 idle connections in 1,000 rooms',
  text: 'Growth of the proportional set size of the server, divided by the connections. Socket buffers of the kernel are in no process and not counted.',
  load: { subscribers: 10_000, rooms: 1_000, holdMs: 3_000 },
  quick: { subscribers: 2_000, holdMs: 1_000 },
  peers: ['ws-framed', 'socket.io', 'nest-tutorial', 'nats', 'wardroom-signal'],
  figures: ['kib_per_connection', 'server_mib'],
  targets: [{ peer: 'wardroom-signal', figure: 'kib_per_connection', most: 8.5 }],
});
