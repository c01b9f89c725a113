/** W2: what does one delivery cost when rooms are small and many? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'many-rooms',
  title: '1,000 rooms of 10 members, 100 publishers',
  text: 'Each publisher owns 10 rooms and keeps 4 messages in flight. The work per message (parsing, policy, and for durable ones the commit) is shared by 10 members only.',
  load: {
    subscribers: 10_000,
    rooms: 1_000,
    publishers: 100,
    window: 4,
    warmSeconds: 2.5,
    seconds: 3,
  },
  quick: { subscribers: 2_000, rooms: 200, seconds: 2, warmSeconds: 1 },
  peers: ['ws-batched', 'wardroom-signal', 'wardroom-durable'],
  others: ['ws-naive', 'socket.io', 'nest-tutorial', 'nats'],
  othersReps: 1,
  figures: [
    'cpu_us_per_delivery',
    'deliveries_per_s',
    'p50_ms',
    'p99_ms',
    'acks_per_s',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: [
    {
      peer: 'wardroom-signal',
      figure: 'cpu_us_per_delivery',
      most: 1.25,
      against: { peer: 'ws-batched' },
      ceiling: 3.5,
    },
  ],
});
