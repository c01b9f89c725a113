/** W1b: does it stay so in a very large room? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'big-room',
  title: 'One room, 10,000 subscribers, 4 messages in flight',
  text: 'As the first question, ten times as large.',
  load: { subscribers: 10_000, publishers: 1, window: 4, warmSeconds: 2.5, seconds: 3 },
  quick: { subscribers: 3_000, seconds: 2 },
  peers: ['ws-batched', 'wardroom-signal', 'wardroom-durable'],
  others: ['nats'],
  figures: [
    'cpu_us_per_delivery',
    'deliveries_per_s',
    'messages_per_read',
    'p50_ms',
    'p99_ms',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: [
    {
      peer: 'wardroom-signal',
      figure: 'cpu_us_per_delivery',
      most: 1.25,
      against: { peer: 'ws-batched' },
      ceiling: 2.5,
    },
  ],
});
