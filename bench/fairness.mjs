/** How much later are the messages of other rooms when one publisher floods another room? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'fairness',
  title: 'One publisher floods his room, 19 others are at 10/s each',
  text:
    'The flood is one connection with 500 publishes in flight, as fast as they are committed; its server has no `PUBLISH_RATE`. Latencies are those of the 190 rooms of the other publishers only, ' +
    'from the moment a message was due; the acknowledgements per second are those of all.',
  load: {
    subscribers: 2_000,
    rooms: 200,
    publishers: 20,
    rate: 190,
    closeOn: 'ack',
    warmSeconds: 6,
    seconds: 5,
  },
  quick: { warmSeconds: 1, seconds: 3 },
  steps: [{ name: 'nobody floods' }, { name: 'one floods', load: { flood: 500 } }],
  peers: ['wardroom-durable'],
  figures: [
    'ack_p99_ms',
    'ack_p50_ms',
    'p99_ms',
    'p50_ms',
    'max_ms',
    'acks_per_s',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: ['ack_p99_ms', 'p99_ms'].map((figure) => ({
    peer: 'wardroom-durable',
    step: 'one floods',
    figure,
    most: 50,
    against: { step: 'nobody floods', beyond: true },
  })),
});
