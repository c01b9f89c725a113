/**
 * W2, durable: how many publishes a second are committed, numbered and acknowledged, and how fast?
 */
import { ask } from './harness/question.mjs';

const listening = { subscribers: 10_000 };
const alone = { subscribers: 0 };

await ask({
  name: 'publish-rate',
  title: 'Durable publishes: 1,000 rooms, 100 publishers',
  text:
    'A publish is done when it is acknowledged, that is after the commit in Postgres (`fsync` and `synchronous_commit` on). First as fast as it goes with 4 in flight ' +
    'per publisher, then at half the promised load, where the time of an acknowledgement counts from the moment the publish was due.',
  load: {
    rooms: 1_000,
    publishers: 100,
    window: 4,
    closeOn: 'ack',
    warmSeconds: 2.5,
    seconds: 2.5,
  },
  quick: { seconds: 2 },
  steps: [
    { name: '10 members listening to each room', load: listening, quick: { subscribers: 2_000 } },
    { name: 'nobody listening', load: alone },
    {
      name: 'members listening, 2,000/s',
      load: { ...listening, rate: 2_000 },
      quick: { subscribers: 2_000 },
    },
    { name: 'nobody listening, 4,000/s', load: { ...alone, rate: 4_000 } },
  ],
  peers: ['wardroom-durable'],
  figures: [
    'acks_per_s',
    'ack_p50_ms',
    'ack_p99_ms',
    'cpu_us_per_publish',
    'postgres_us_per_publish',
    'redis_us_per_publish',
    'server_cpu_percent',
    'load_cpu_percent',
  ],
  targets: [
    {
      peer: 'wardroom-durable',
      step: '10 members listening to each room',
      figure: 'acks_per_s',
      least: 4_000,
    },
    { peer: 'wardroom-durable', step: 'nobody listening', figure: 'acks_per_s', least: 8_000 },
    {
      peer: 'wardroom-durable',
      step: 'members listening, 2,000/s',
      figure: 'ack_p99_ms',
      most: 50,
    },
    { peer: 'wardroom-durable', step: 'nobody listening, 4,000/s', figure: 'ack_p99_ms', most: 50 },
  ],
});
