/** W4: what does a connection cost that says nothing? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'idle-memory',
  title: '10,000 idle connections in 1,000 rooms',
  text:
    'The connections are opened in four parts. The figure is the slope of the straight line through the proportional set size after each part, so that neither the program nor ' +
    'what is left of its start is counted; how well the line fits says whether memory is linear. Socket buffers of the kernel are in no process and not counted. ' +
    'Idle CPU is of the 26 s after the last have come and their rooms have been told: longer than a heartbeat.',
  load: { subscribers: 10_000, rooms: 1_000, holdMs: 1_500, idleMs: 26_000 },
  steps: [{ name: '', reps: 3 }],
  quick: { subscribers: 2_000, holdMs: 1_000, idleMs: 2_000 },
  peers: ['ws-framed', 'wardroom-signal'],
  others: ['socket.io', 'nest-tutorial', 'nats'],
  othersReps: 1,
  figures: ['kib_per_connection', 'memory_fit', 'server_mib', 'idle_cpu_percent'],
  targets: [
    { peer: 'wardroom-signal', figure: 'kib_per_connection', most: 8.5 },
    { peer: 'wardroom-signal', figure: 'memory_fit', least: 0.9 },
    { peer: 'wardroom-signal', figure: 'idle_cpu_percent', most: 4 },
  ],
});
