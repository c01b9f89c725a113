/**
 * The cost of sealing: microseconds for a message between nodes, to write and to read it, beside a
 * plain HMAC and the JSON.
 *
 *   npm run build && node bench/measure-seal.mjs
 */
import { createHmac, randomBytes } from 'node:crypto';
import { newId } from '../dist/platform/ids.js';
import { MessageSeal } from '../dist/platform/stores/message-seal.js';

const secret = randomBytes(32).toString('base64url');
const [sender, reader] = [
  new MessageSeal([secret], 'measured', newId()),
  new MessageSeal([secret], 'measured', newId()),
];
const about = `room\n${newId()}`;

console.log(['bytes', 'JSON', 'HMAC-SHA256', 'seal', 'open'].join('\t'));
for (const bytes of [200, 1_000, 8_000, 32_000]) {
  const value = {
    kind: 'events',
    events: [{ room: newId(), seq: 1, epoch: 0, frame: 'x'.repeat(bytes) }],
  };
  const text = JSON.stringify(value);
  const box = sender.seal(about, text);
  const costs = [
    measure(() => JSON.parse(JSON.stringify(value))),
    measure(() => createHmac('sha256', secret).update(about).update(text).digest()),
    measure(() => sender.seal(about, text)),
    measure(() => reader.open(about, box)),
  ];
  console.log([bytes, ...costs.map((us) => us.toFixed(1))].join('\t'));
}

/** The best of five rounds: what else the machine does is not the subject. */
function measure(work, times = 5_000) {
  let best = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    for (let i = 0; i < times; i += 1) work();
    best = Math.min(best, performance.now() - began);
  }
  return (best * 1000) / times;
}
