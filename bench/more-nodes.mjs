/** Does a message get later when there are more nodes? */
import { ask } from './harness/question.mjs';

const counts = [1, 2, 4];

await ask({
  name: 'more-nodes',
  title: '5,000 deliveries a second over 1 to 4 nodes',
  text:
    '200 rooms of 10 whose members are spread over the nodes, 500 messages a second from publishers on the first one: most deliveries go through Redis. All nodes share one core, so the ' +
    'load is small on purpose: what is asked is the way, not the capacity. `ws-redis` shows what the way costs on this machine with nothing on it.',
  load: { subscribers: 2_000, rooms: 200, publishers: 20, rate: 500, warmSeconds: 6, seconds: 4 },
  quick: { subscribers: 400, rate: 100, warmSeconds: 1, seconds: 2 },
  steps: counts.map((nodes) => ({ name: String(nodes), load: { nodes }, reps: 3 })),
  series: { heading: 'nodes', values: counts },
  peers: ['ws-redis', 'wardroom-signal', 'wardroom-durable'],
  figures: [
    'p99_ms',
    'p50_ms',
    'cpu_us_per_delivery',
    'redis_us_per_publish',
    'postgres_us_per_publish',
  ],
  targets: [
    ...['wardroom-signal', 'wardroom-durable'].map((peer) => ({
      peer,
      step: '4',
      figure: 'p99_ms',
      most: 2,
      against: { step: '1' },
    })),
    {
      peer: 'wardroom-signal',
      step: '4',
      figure: 'p99_ms',
      most: 1,
      against: { peer: 'ws-redis' },
    },
  ],
});
