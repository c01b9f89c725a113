/**
 * A message in 16,000 one-byte fragments, a frame in as many packets: 50 sockets together cost the
 * node at most 16 MiB, are ended with a code, and nobody else notices. The node is one of its own,
 * so that nothing else allocates in it.
 */
import { beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CLOSE_CODES } from '@wardroom/protocol';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { describeWith } from '../support/needs.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const SOCKETS = 50;
const FRAGMENTS = 16_000;
const MIB = 1_048_576;
const GROWTH_BYTES_MAX = 16 * MIB;

const one = (op: number): Buffer => bytesOf('x', { op, fin: false });
const fragments = (count: number): Buffer =>
  Buffer.concat([one(1), ...Array.from({ length: count - 1 }, () => one(0))]);

let node: NodeProcess;
let ada: SignedIn;

beforeAll(async () => {
  node = await startNode({ LOG_LEVEL: 'info' });
  const world = await World.create({ base: node.url });
  ada = await world.user('ada');
  // The one-time cost of a first flood - compiled code, buffers of the logger - is no growth.
  await flood('live', fragments(100));
  await flood('greeting', fragments(100));
}, 60_000);

/** Memory that the process shares with nobody, in bytes. */
function memory(): number {
  const rollup = readFileSync(`/proc/${node.pid}/smaps_rollup`, 'utf8');
  return ['Private_Clean', 'Private_Dirty'].reduce(
    (sum, name) => sum + Number(new RegExp(`${name}:\\s+(\\d+)`).exec(rollup)![1]) * 1024,
    0,
  );
}

async function open(state: 'live' | 'greeting'): Promise<RawSocket> {
  const peer = RawSocket.open(
    node.url,
    state === 'live' ? { headers: { Authorization: `Bearer ${ada.token}` } } : {},
  );
  const first = state === 'live' ? 'auth_ok' : 'hello';
  await peer.until(first, ({ frames }) => frames.some(({ type }) => type === first));
  return peer;
}

/** The most memory that was seen meanwhile, and how the sockets ended. */
async function flood(
  state: 'live' | 'greeting',
  bytes: Buffer,
): Promise<{ peakBytes: number; codes: Set<string> }> {
  const peers = await Promise.all(Array.from({ length: SOCKETS }, () => open(state)));
  let peakBytes = memory();
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, memory())), 5);
  for (const peer of peers) peer.socket.write(bytes);
  await Promise.all(peers.map((peer) => peer.untilClosed()));
  peakBytes = Math.max(peakBytes, memory());
  await Promise.all(peers.map((peer) => peer.ended));
  clearInterval(watch);
  return {
    peakBytes,
    codes: new Set(peers.map(({ close }) => JSON.parse(close!.raw).code as string)),
  };
}

const described = describeWith(
  { met: process.platform === 'linux', reason: 'memory is read in /proc' },
  'fragment floods',
);

described(`${SOCKETS} sockets of ${FRAGMENTS} one-byte fragments`, () => {
  test.each(['live', 'greeting'] as const)(
    '%s: at most 16 MiB, policy_violation',
    async (state) => {
      const witness = await RawClient.live(node.wsUrl, ada.token);
      const beforeBytes = memory();
      const { peakBytes, codes } = await flood(state, fragments(FRAGMENTS));
      expect([...codes]).toEqual(['policy_violation']);
      await witness.settled();
      witness.ws.terminate();
      console.log(
        `${state}: ${(beforeBytes / MIB).toFixed(1)} MiB before, ${((peakBytes - beforeBytes) / MIB).toFixed(1)} MiB more at the peak`,
      );
      expect(peakBytes - beforeBytes).toBeLessThanOrEqual(GROWTH_BYTES_MAX);
    },
  );

  test('unfinished messages that stay below every limit are held to the size of a frame each', async () => {
    const beforeBytes = memory();
    const peers = await Promise.all(Array.from({ length: SOCKETS }, () => open('live')));
    for (const peer of peers) peer.socket.write(fragments(64));
    for (const peer of peers) peer.socket.write(bytesOf('', { op: 9 }));
    const witness = await RawClient.live(node.wsUrl, ada.token);
    await witness.settled();
    expect(memory() - beforeBytes).toBeLessThanOrEqual(GROWTH_BYTES_MAX);
    expect(peers.filter(({ close }) => close !== null)).toEqual([]);
    witness.ws.terminate();
  });

  test('a frame that comes in one-byte packets is read, or ended with a code', async () => {
    const peer = await open('live');
    peer.socket.setNoDelay(true);
    const bytes = bytesOf(JSON.stringify({ type: 'ping', id: 'slow', pad: 'x'.repeat(4_000) }));
    for (const byte of bytes) {
      if (peer.close !== null) break;
      await new Promise<void>((resolve) => peer.socket.write(Buffer.from([byte]), () => resolve()));
    }
    await peer.until(
      'answer',
      ({ frames, close }) => close !== null || frames.some(({ type }) => type === 'error'),
    );
    if (peer.close !== null) expect(peer.close.code).toBe(CLOSE_CODES.policy_violation.status);
  });
});
