/** W4: what does a connection cost that says nothing? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'idle-memory',
  title: '10,000 idle connections in 1,000 rooms',
  text: 'Growth of the proportional set size of the server, divided by the connections. Socket buffers of the kernel are in no process and not counted.',
  load: { rooms: 1_000, holdMs: 2_000 },
  quick: { holdMs: 1_000 },
  steps: [
    { name: '2,500', load: { subscribers: 2_500 }, quick: { subscribers: 500 }, peers: ['wardroom-signal'] },
    { name: '5,000', load: { subscribers: 5_000 }, quick: { subscribers: 1_000 }, peers: ['wardroom-signal'], reps: 3 },
    { name: '10,000', load: { subscribers: 10_000 }, quick: { subscribers: 2_000 } },
  ],
  peers: ['ws-framed', 'wardroom-signal'],
  others: ['socket.io', 'nest-tutorial', 'nats'],
  figures: ['kib_per_connection', 'server_mib', 'idle_cpu_percent'],
  targets: [
    { peer: 'wardroom-signal', step: '10,000', figure: 'kib_per_connection', most: 8.5 },
    { peer: 'wardroom-signal', step: '10,000', figure: 'kib_per_connection', most: 1.1, against: { step: '2,500' } },
  ],
});
