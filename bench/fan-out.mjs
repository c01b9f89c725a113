/** W1: what does one delivery cost when a room is large and busy? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'fan-out',
  title: 'One room, 1,000 subscribers, 8 messages in flight',
  text: 'A publisher keeps 8 messages of 128 bytes in flight; a message is done when all 1,000 subscribers have it.',
  load: { subscribers: 1_000, publishers: 1, window: 8, seconds: 2.5 },
  quick: { subscribers: 500, seconds: 1, warmSeconds: 0.5 },
  peers: ['ws-batched', 'nats', 'wardroom-signal', 'wardroom-durable'],
  others: ['ws-naive', 'ws-framed', 'socket.io', 'nest-tutorial'],
  figures: [
    'cpu_us_per_delivery',
    'deliveries_per_s',
    'messages_per_read',
    'p50_ms',
    'p99_ms',
    'bytes_per_delivery',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: [
    {
      peer: 'wardroom-signal',
      figure: 'cpu_us_per_delivery',
      most: 1.15,
      against: { peer: 'ws-batched' },
      ceiling: 2.5,
    },
    {
      peer: 'wardroom-durable',
      figure: 'cpu_us_per_delivery',
      most: 1.25,
      against: { peer: 'ws-batched' },
      ceiling: 3.5,
    },
    { peer: 'wardroom-durable', figure: 'cpu_us_per_delivery', most: 1, against: { peer: 'nats' } },
    { peer: 'wardroom-durable', figure: 'cpu_us_per_delivery', most: 1.95 },
  ],
});
