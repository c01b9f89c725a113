/**
 * A peer that answers nothing is half open, and is told apart from one that we do not read
 * ourselves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { LeaseRounds } from '../../../src/authority/lease/lease-rounds.js';
import type { Lease } from '../../../src/authority/lease/lease.js';
import type { TransportEnd } from '../../../src/gateway/connection/ends/connection-end.js';
import { ConnectionTimes } from '../../../src/gateway/connection/timers/connection-times.js';
import { ConnectionTimers } from '../../../src/gateway/connection/timers/connection-timers.js';
import type { Connection } from '../../../src/gateway/connection/connection.js';
import type { ConnectionRegistry } from '../../../src/gateway/connection/connection-registry.js';
import { Ticks } from '../../../src/gateway/ticks.js';
import { monotonicMs } from '../../../src/platform/clock.js';
import type { Config } from '../../../src/platform/config/config.js';
import type { Metrics } from '../../../src/platform/metrics.js';

const ends: (TransportEnd | undefined)[] = [];
let life: ConnectionTimers;
let ticks: Ticks;

beforeEach(() => {
  ends.length = 0;
  const lease = { onFence: () => undefined } as unknown as Lease;
  const rounds = { onSlept: () => undefined, beat: monotonicMs } as unknown as LeaseRounds;
  const connections = {
    onEnded: () => undefined,
    gone: (_: Connection, how?: TransportEnd) => void ends.push(how),
  } as unknown as ConnectionRegistry;
  life = new ConnectionTimers(
    { fenceCloseMs: 0, authGraceSeconds: 30, authWarningSeconds: 0 } as Config,
    lease,
    rounds,
    connections,
    {} as Metrics,
    (ticks = new Ticks()),
  );
  ticks.onModuleInit();
  life.onModuleInit();
});
afterEach(() => {
  ticks.onModuleDestroy();
  life.onModuleDestroy();
});

class Peer {
  readonly state = 'live';
  readonly token = { deadlineMs: Infinity };
  readonly times = Object.assign(new ConnectionTimes(), {
    warned: true,
    heartbeatMs: monotonicMs() + 60_000,
  });
  bytesRead = 100;
  peerStatus = 0;
  inbox: { paused: boolean } | null = null;
  pings = 0;
  destroyed = false;

  ping(): void {
    this.pings += 1;
  }
  destroy(): void {
    this.destroyed = true;
  }

  /** The next heartbeat is now. */
  async beat(): Promise<void> {
    const before = this.pings;
    this.times.heartbeatMs = monotonicMs();
    life.schedule(this as unknown as Connection);
    const deadline = performance.now() + 5_000;
    while (this.pings === before && !this.destroyed && performance.now() < deadline) await sleep(5);
  }
}

test('after a ping that nothing answered it is half open, recorded and cut', async () => {
  const peer = new Peer();
  await peer.beat();
  expect([peer.pings, peer.destroyed]).toEqual([1, false]);
  await peer.beat();
  expect([peer.pings, peer.destroyed]).toEqual([1, true]);
  expect(ends).toEqual(['half_open']);
});

test('any byte it sent meanwhile proves it alive', async () => {
  const peer = new Peer();
  for (let beat = 1; beat <= 4; beat += 1) {
    await peer.beat();
    peer.bytesRead += 6;
  }
  expect([peer.pings, peer.destroyed]).toEqual([4, false]);
});

test('a peer that has sent a close frame and takes no answer to it is cut with the next beat', async () => {
  const peer = new Peer();
  peer.peerStatus = 1001;
  await peer.beat();
  expect([peer.pings, peer.destroyed]).toEqual([0, true]);
});

test('while its socket is not read, because its frames wait, its silence proves nothing', async () => {
  const peer = new Peer();
  peer.inbox = { paused: true };
  for (let beat = 1; beat <= 3; beat += 1) await peer.beat();
  expect([peer.pings, peer.destroyed]).toEqual([3, false]);
  peer.inbox.paused = false;
  await peer.beat();
  expect(peer.destroyed).toBe(true);
});
