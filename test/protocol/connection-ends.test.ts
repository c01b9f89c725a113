/**
 * P9, nobody is silent: every end of a connection is told once, by who ended it - in the metric, in
 * the log and in the audit.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { auditUntil, named } from '../audit/read.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster, NodeProcess } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { eventually } from './harness.js';
import { OP, RawSocket, bytesOf } from './raw-socket.js';

let cluster: Cluster;
let node: NodeProcess;
let world: World;

beforeAll(async () => {
  cluster = await startCluster(2, { AUTH_DEADLINE_MS: '1000' });
  node = cluster.nodes[0]!;
  world = await World.create({ base: cluster.nodes[1]!.url });
});

type Ends = Record<string, number>;

async function metric(pattern: RegExp): Promise<RegExpMatchArray[]> {
  return [...(await (await fetch(`${node.internalUrl}/metrics`)).text()).matchAll(pattern)];
}

/** `side code`, and how often. */
async function ends(): Promise<Ends> {
  const found = await metric(
    /^wardroom_connections_closed_total\{side="(\w+)",code="(\w+)"\} (\d+)$/gm,
  );
  return Object.fromEntries(
    found.map(([, side, code, count]) => [`${side} ${code}`, Number(count)]),
  );
}

const sum = (all: Ends): number => Object.values(all).reduce((total, count) => total + count, 0);
const more = (after: Ends, before: Ends): Ends =>
  Object.fromEntries(
    Object.entries(after)
      .map(([key, count]): [string, number] => [key, count - (before[key] ?? 0)])
      .filter(([, count]) => count !== 0),
  );

async function live(user: SignedIn): Promise<RawSocket> {
  const peer = RawSocket.open(node.url, { headers: { Authorization: `Bearer ${user.token}` } });
  await peer.until('auth_ok', ({ frames }) => frames.some(({ type }) => type === 'auth_ok'));
  return peer;
}

const idOf = (peer: RawSocket): string =>
  peer.frames.find(({ type }) => type === 'hello').connection_id;
const close = (status: number): Buffer =>
  bytesOf(Buffer.from([status >> 8, status & 255]), { op: OP.close });
const lines = (id: string): any[] =>
  node
    .logs()
    .split('\n')
    .filter((line) => line.includes('"connection closed"') && line.includes(id))
    .map((line) => JSON.parse(line));

/** One connection of its own session is ended by `how`: told once, everywhere the same. */
async function expectEnd(
  side: string,
  code: string | number,
  label: string,
  how: (peer: RawSocket, user: SignedIn) => unknown,
): Promise<void> {
  const user = await world.user('u');
  const before = await ends();
  const peer = await live(user);
  const id = idOf(peer);
  await how(peer, user);
  const after = await eventually(
    ends,
    (all) => sum(all) > sum(before),
    `an end by ${side} ${code}`,
  );
  peer.socket.destroy();
  await peer.ended;
  const records = await auditUntil(world, (all) => named(all, 'connection_closed').length > 0, {
    user: user.id,
  });
  expect(
    named(records, 'connection_closed').map(({ request_id, detail }) => ({
      request_id,
      ...detail,
    })),
  ).toEqual([{ request_id: id, side, code, ms: expect.any(Number) }]);
  expect(lines(id)).toEqual([
    expect.objectContaining({ side, code, session: user.session, user: user.id }),
  ]);
  expect(more(after, before)).toEqual({ [`${side} ${label}`]: 1 });
  expect(more(await ends(), before)).toEqual({ [`${side} ${label}`]: 1 });
}

describe('by the client, with the status of its close frame', () => {
  test.each([
    [1000, '1000'],
    [1001, '1001'],
    [1011, '1011'],
    [3999, '3xxx'],
    [4003, '4xxx'],
  ])('%s, counted as %s', async (status, label) => {
    await expectEnd('client', status, label, (peer) => peer.socket.write(close(status)));
  });

  test('without one: 1005', async () => {
    await expectEnd('client', 1005, '1005', (peer) =>
      peer.socket.write(bytesOf('', { op: OP.close })),
    );
  });

  test('anything the server wants to say after it', async () => {
    await expectEnd('client', 1000, '1000', async (peer, user) => {
      // It closes, and leaves TCP open: the connection is still in the lists when its session ends.
      peer.socket.write(close(1000));
      await peer.until('the answer to the close', (it) => it.close !== null);
      await call(world.base, '/v1/auth/logout', { token: user.token, body: {} });
    });
  });

  test('also when it reads nothing and so cannot be answered', async () => {
    await expectEnd('client', 1001, '1001', async (peer, user) => {
      const room = await world.room(user);
      const body = 'x'.repeat(30_000);
      peer.socket.pause();
      peer.send({ type: 'subscribe', room });
      for (let i = 0; i < 12; i += 1)
        await call(world.base, `/v1/rooms/${room}/messages`, { token: user.token, body: { body } });
      peer.socket.write(close(1001));
      // Everything written before has arrived: the close frame is with the node.
      await new Promise<void>((resolve) => peer.socket.end(resolve));
    });
  });
});

describe('by the transport', () => {
  test('RST: reset', async () => {
    await expectEnd('transport', 'reset', 'reset', (peer) => peer.socket.resetAndDestroy());
  });

  test('FIN without a close frame: reset', async () => {
    await expectEnd('transport', 'reset', 'reset', (peer) => peer.socket.end());
  });

  test('in the middle of a frame: reset', async () => {
    await expectEnd('transport', 'reset', 'reset', (peer) =>
      peer.socket.end(bytesOf('{"type":"ping"}').subarray(0, 9)),
    );
  });
});

describe('by the server, with its code', () => {
  test('session_revoked', async () => {
    await expectEnd('server', 'session_revoked', 'session_revoked', (_, user) =>
      call(world.base, '/v1/auth/logout', { token: user.token, body: {} }),
    );
  });

  test('once, although the client answers the close and then ends TCP', async () => {
    await expectEnd('server', 'session_revoked', 'session_revoked', async (peer, user) => {
      await call(world.base, '/v1/auth/logout', { token: user.token, body: {} });
      await peer.untilClosed();
      peer.socket.end(close(1008));
      await peer.ended;
    });
  });

  test('once, although the client resets instead of answering', async () => {
    await expectEnd('server', 'session_revoked', 'session_revoked', async (peer, user) => {
      await call(world.base, '/v1/auth/logout', { token: user.token, body: {} });
      await peer.untilClosed();
      peer.socket.resetAndDestroy();
    });
  });

  test.each([
    ['protocol_error', () => bytesOf('x', { op: 3 })],
    ['unsupported_data', () => bytesOf('x', { op: OP.binary })],
    ['invalid_utf8', () => bytesOf(Buffer.from([0xff]))],
    ['too_big', () => bytesOf('x'.repeat(65_537))],
    [
      'policy_violation',
      () =>
        Buffer.concat([
          bytesOf('x', { fin: false }),
          ...Array.from({ length: 65 }, () => bytesOf('x', { op: 0, fin: false })),
        ]),
    ],
    [
      'rate_limited',
      () => Buffer.concat(Array.from({ length: 1_000 }, () => bytesOf('{"type":"ping"}'))),
    ],
  ])('%s, which the library or a limit begins', async (code, bytes) => {
    await expectEnd('server', code, code, (peer) => peer.socket.write(bytes()));
  });
});

describe('before authentication', () => {
  test.each<[string, string, (peer: RawSocket) => unknown]>([
    ['server', 'auth_timeout', () => undefined],
    ['server', 'auth_missing', (peer) => peer.send({ type: 'ping' })],
    ['client', '1000', (peer) => peer.socket.write(close(1000))],
    ['transport', 'reset', (peer) => peer.socket.resetAndDestroy()],
  ])('%s %s is counted and logged once', async (side, code, how) => {
    const before = await ends();
    const peer = RawSocket.open(node.url);
    await peer.until('hello', ({ frames }) => frames.length > 0);
    await how(peer);
    const after = await eventually(
      ends,
      (all) => sum(all) > sum(before),
      `an end by ${side} ${code}`,
    );
    peer.socket.destroy();
    expect(more(after, before)).toEqual({ [`${side} ${code}`]: 1 });
    // The line is on its way to the file when the metric is counted.
    const told = await eventually(
      async () => lines(idOf(peer)),
      ({ length }) => length > 0,
      'the end is in the log',
    );
    expect(told).toEqual([
      expect.objectContaining({ side, code: /^\d+$/.test(code) ? Number(code) : code }),
    ]);
  });
});

test('every connection that was opened is open or has ended once', async () => {
  const all = async () => {
    const [[, opened], [, open]] = (
      await metric(
        /^wardroom_(?:handshakes_total\{outcome="accepted",phase="upgrade"\}|connections) (\d+)$/gm,
      )
    ).sort((a, b) => b[0].localeCompare(a[0])) as [RegExpMatchArray, RegExpMatchArray];
    return { opened: Number(opened), ended: sum(await ends()), open: Number(open) };
  };
  const { opened, ended } = await eventually(all, ({ open }) => open === 0, 'no connection left');
  expect(opened).toBeGreaterThan(0);
  expect(ended).toBe(opened);
});

test('a node that stops: server restarting, in its log and in the audit', async () => {
  const user = await world.user('u');
  const peer = await live(user);
  const id = idOf(peer);
  node.kill('SIGTERM');
  await node.ended;
  const records = await auditUntil(world, (all) => named(all, 'connection_closed').length > 0, {
    user: user.id,
  });
  expect(named(records, 'connection_closed').map(({ detail }) => detail)).toEqual([
    { side: 'server', code: 'restarting', ms: expect.any(Number) },
  ]);
  expect(lines(id)).toEqual([expect.objectContaining({ side: 'server', code: 'restarting' })]);
});
