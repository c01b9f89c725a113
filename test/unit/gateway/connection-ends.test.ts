/**
 * Which side ended a connection, and what it is counted as: labels are a closed list, whatever a
 * client sends.
 */
import { describe, expect, test } from '@jest/globals';
import {
  ConnectionEnds,
  endedByPeer,
  endedByServer,
} from '../../../src/gateway/connection/ends/connection-ends.js';
import type { ConnectionEnd } from '../../../src/gateway/connection/ends/connection-end.js';
import type { ConnectionCounts } from '../../../src/gateway/connection/counts/connection-counts.js';
import type { CloseLog } from '../../../src/gateway/connection/ends/close-log.js';
import type { ConnectionAudit } from '../../../src/gateway/connection/ends/connection-audit.js';
import type { Connection } from '../../../src/gateway/connection/connection.js';
import type { Metrics } from '../../../src/platform/metrics.js';

const left = (peerStatus: number, code?: string): Connection =>
  ({
    peerStatus,
    socketError: code === undefined ? null : Object.assign(new Error(code), { code }),
    id: 'c',
    token: null,
  }) as unknown as Connection;

describe('the first that ended it is its side', () => {
  test.each<[string, ConnectionEnd, ConnectionEnd]>([
    [
      'the server, before a close frame came',
      endedByServer(left(0), 'session_revoked'),
      { side: 'server', code: 'session_revoked' },
    ],
    [
      'the client, whose close frame came before',
      endedByServer(left(1000), 'session_revoked'),
      { side: 'client', code: 1000 },
    ],
    [
      'the client, although TCP broke then',
      endedByPeer(left(1001, 'ECONNRESET')),
      { side: 'client', code: 1001 },
    ],
    [
      'the client, although it took no answer',
      endedByPeer(left(1001), 'half_open'),
      { side: 'client', code: 1001 },
    ],
    [
      'the transport: no error, no close frame',
      endedByPeer(left(0)),
      { side: 'transport', code: 'reset' },
    ],
    [
      'the transport: RST',
      endedByPeer(left(0, 'ECONNRESET')),
      { side: 'transport', code: 'reset' },
    ],
    [
      'the transport: a write that nobody took',
      endedByPeer(left(0, 'EPIPE')),
      { side: 'transport', code: 'reset' },
    ],
    [
      'the transport: the kernel gave up',
      endedByPeer(left(0, 'ETIMEDOUT')),
      { side: 'transport', code: 'timeout' },
    ],
    [
      'the transport: no way there any more',
      endedByPeer(left(0, 'EHOSTUNREACH')),
      { side: 'transport', code: 'timeout' },
    ],
    [
      'the transport: the heartbeat found it',
      endedByPeer(left(0), 'half_open'),
      { side: 'transport', code: 'half_open' },
    ],
  ])('%s', (_, end, expected) => {
    expect(end).toEqual(expected);
  });
});

test('every status that a client can send has one of twenty labels', () => {
  const labels = new Set<string>();
  const metrics = {
    connectionsClosed: { inc: ({ code }: { code: string }) => labels.add(code) },
  } as unknown as Metrics;
  const ends = new ConnectionEnds(
    metrics,
    { over: () => undefined } as unknown as ConnectionAudit,
    { add: () => undefined } as unknown as CloseLog,
    { over: () => undefined } as unknown as ConnectionCounts,
  );
  Object.assign(ends, { logger: { log: () => undefined } });
  for (let status = 1000; status <= 5000; status += 1)
    ends.record(left(status), { side: 'client', code: status });
  expect(labels.size).toBeLessThanOrEqual(20);
  expect([...labels]).toEqual(
    expect.arrayContaining(['1000', '1001', '1005', '3xxx', '4xxx', 'other']),
  );
});
