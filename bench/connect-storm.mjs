/** W3: what does a connect cost? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'connect-storm',
  title: '5,000 clients connect, authenticate and subscribe',
  text: '256 at a time, ES256 tokens, each client its own user and session.',
  load: { subscribers: 5_000 },
  quick: { subscribers: 1_000 },
  peers: ['ws-framed', 'wardroom-signal'],
  others: ['socket.io', 'nest-tutorial', 'nats'],
  figures: ['cpu_ms_per_connect', 'connects_per_s'],
  targets: [
    {
      peer: 'wardroom-signal',
      figure: 'cpu_ms_per_connect',
      against: { peer: 'ws-framed' },
      most: 1.9,
    },
  ],
});
