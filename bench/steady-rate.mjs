/** W5: how late is a message at a load that everybody can bear? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'steady-rate',
  title: '20,000 deliveries a second at a fixed rate: 200 rooms of 10',
  text:
    '2,000 messages a second from 20 publishers. Latency counts from the moment a message was due, so that a server that stalls cannot hide it.' +
    ' What is committed first may be later than a signal by its commit (the ack), and by no more. The stores of a node share the core of the load: `ws-naive-beside` shows what that alone makes later.',
  load: { subscribers: 2_000, rooms: 200, publishers: 20, rate: 2_000, warmSeconds: 6, seconds: 4 },
  quick: { warmSeconds: 1, seconds: 2 },
  peers: ['ws-naive', 'ws-naive-beside', 'ws-framed', 'wardroom-signal', 'wardroom-durable'],
  others: ['ws-batched', 'socket.io', 'nest-tutorial', 'nats'],
  figures: [
    'p99_ms',
    'p50_ms',
    'p999_ms',
    'max_ms',
    'cpu_us_per_delivery',
    'ack_p99_ms',
    'past_ack_p99_ms',
    'not_once',
    'server_cpu_percent',
  ],
  targets: [
    { peer: 'wardroom-signal', figure: 'p99_ms', most: 1, against: { peer: 'ws-naive' } },
    {
      peer: 'wardroom-durable',
      figure: 'past_ack_p99_ms',
      most: 1,
      against: { peer: 'wardroom-signal', figure: 'p99_ms' },
    },
    { peer: 'wardroom-durable', figure: 'not_once', most: 0 },
  ],
});
