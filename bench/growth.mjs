/** How does the price of a delivery grow with the room? */
import { ask } from './harness/question.mjs';

const sizes = [10, 100, 1_000, 10_000];

await ask({
  name: 'growth',
  title: 'One room, 10 to 10,000 subscribers, 8 messages in flight',
  text: 'The price of a message is divided by its deliveries: in a small room the work per message shows, in a large one the writes.',
  load: { publishers: 1, window: 8, seconds: 2 },
  quick: { seconds: 1, warmSeconds: 0.5 },
  steps: sizes.map((subscribers) => ({
    name: String(subscribers),
    load: { subscribers },
    reps: subscribers > 1_000 ? 2 : 3,
  })),
  series: { heading: 'subscribers', values: sizes },
  peers: ['ws-batched', 'wardroom-signal', 'wardroom-durable'],
  figures: ['cpu_us_per_delivery', 'deliveries_per_s', 'p99_ms'],
  targets: sizes.map((size) => ({
    peer: 'wardroom-signal',
    step: String(size),
    figure: 'cpu_us_per_delivery',
    most: 1.25,
    against: { peer: 'ws-batched' },
  })),
});
