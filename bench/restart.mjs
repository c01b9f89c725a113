/** W7: how long until everybody is back, and is anything lost? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'restart',
  title: 'kill -9 and restart under 5,000 clients',
  text:
    'From the first lost connection until all 5,000 are connected, authenticated and subscribed again, and until they have what was published before. The server is started ' +
    'again at once. Raw clients come back within 200 ms and keep trying; clients of the SDK as the SDK does. For `wardroom-durable` and `wardroom-sdk` 100 publishers go on at 100/s ' +
    'all the time, asking again for whatever has no answer; every event has to reach each of its ten subscribers once.',
  load: { subscribers: 5_000, rooms: 500, publishers: 100, rate: 100, restart: true },
  steps: [{ name: '', reps: 3 }],
  quick: { subscribers: 1_000 },
  peers: ['ws-framed', 'wardroom-signal', 'wardroom-durable'],
  others: ['wardroom-sdk', 'socket.io', 'nest-tutorial', 'nats'],
  othersReps: 1,
  figures: ['all_back_s', 'recovered_s', 'lost', 'cpu_ms_per_connect'],
  targets: [
    { peer: 'wardroom-signal', figure: 'all_back_s', most: 4 },
    { peer: 'wardroom-durable', figure: 'recovered_s', most: 4 },
    { peer: 'wardroom-durable', figure: 'lost', most: 0 },
    { peer: 'wardroom-sdk', figure: 'recovered_s', most: 10 },
    { peer: 'wardroom-sdk', figure: 'lost', most: 0 },
  ],
});
