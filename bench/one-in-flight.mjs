/** W1s: what does one delivery cost when there is nothing to coalesce? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'one-in-flight',
  title: 'One room, 1,000 subscribers, 1 message in flight',
  text: 'The next message leaves when all 1,000 subscribers have the last one: every delivery is a write of its own, whatever a server does.',
  load: { subscribers: 1_000, publishers: 1, window: 1, seconds: 2.5 },
  quick: { subscribers: 500, seconds: 1, warmSeconds: 0.5 },
  peers: ['ws-framed', 'wardroom-signal', 'wardroom-durable'],
  others: ['ws-naive', 'socket.io', 'nats'],
  figures: [
    'cpu_us_per_delivery',
    'deliveries_per_s',
    'p50_ms',
    'p99_ms',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: [
    {
      peer: 'wardroom-signal',
      figure: 'cpu_us_per_delivery',
      most: 1.1,
      against: { peer: 'ws-framed' },
      ceiling: 2.2,
    },
  ],
});
