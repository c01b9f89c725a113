/** R1: what does a second node cost? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'two-nodes',
  title: 'One room of 1,000 over two nodes and Redis',
  text: 'Subscribers split between two nodes, the publisher on one of them, 8 messages in flight. CPU of both nodes together; both share one core, Redis does not.',
  load: { subscribers: 1_000, publishers: 1, window: 8, seconds: 2.5 },
  quick: { subscribers: 500, seconds: 1, warmSeconds: 0.5 },
  steps: [{ name: 'one node' }, { name: 'two nodes', load: { nodes: 2 } }],
  peers: ['wardroom-signal', 'wardroom-durable'],
  figures: [
    'cpu_us_per_delivery',
    'deliveries_per_s',
    'messages_per_read',
    'p50_ms',
    'p99_ms',
    'redis_us_per_publish',
  ],
  targets: ['wardroom-signal', 'wardroom-durable'].map((peer) => ({
    peer,
    step: 'two nodes',
    figure: 'cpu_us_per_delivery',
    most: 1.5,
    against: { step: 'one node' },
  })),
});
