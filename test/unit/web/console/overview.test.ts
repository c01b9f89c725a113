/** Alerts in words, and a page that does not look while nobody sees it. */
import { describe, expect, test } from '@jest/globals';
import {
  alertsOf,
  closesOf,
  type NodeView,
  Overview,
  type Readiness,
} from '../../../../web/model/console/pages/overview.js';
import {
  agent,
  bytes,
  countdown,
  duration,
  relative,
  troubleOf,
} from '../../../../web/model/console/words.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const node = (name: string, rest: Partial<NodeView> = {}): NodeView => ({
  id: name,
  name,
  version: '0.1.0',
  node_version: 'v22',
  started_at: '2026-11-30T10:00:00.000Z',
  lease_ms: 5_000,
  state: 'serving',
  position: 7,
  head: 7,
  lease_left_ms: 4_000,
  clock_offset_ms: 3,
  connections: 2,
  rooms: 1,
  ...rest,
});
const well: Readiness = {
  status: 'ok',
  details: { postgres: { status: 'up' }, redis: { status: 'up', connected: true } },
};
const texts = (nodes: NodeView[], readiness: Readiness | null = well) =>
  alertsOf(nodes, readiness).map(({ text }) => text);

describe('the alerts', () => {
  test('are none when all is well, and none about nodes that are gone', () => {
    expect(
      texts([node('a'), node('b', { state: 'gone', version: '0.0.9', connections: null })]),
    ).toEqual([]);
  });

  test('put what stops people first', () => {
    expect(
      texts([node('a', { head: 9 }), node('b', { state: 'fenced', connections: null })], {
        ...well,
        details: { ...well.details, postgres: { status: 'down' } },
      }),
    ).toEqual([
      'Postgres does not answer this node.',
      'Node b is fenced.',
      'Node a is 2 changes behind.',
    ]);
  });

  test.each([
    [
      'a clock',
      [node('a', { clock_offset_ms: -2_500 })],
      well,
      'The clock of node a is off by 2 s.',
    ],
    ['versions', [node('a'), node('b', { version: '2' })], well, 'Nodes run different versions.'],
    ['silence', [node('a', { connections: null })], well, 'Node a did not answer in 500 ms.'],
    ['draining', [node('a', { state: 'draining' })], well, 'Node a drains.'],
    ['no health', [node('a')], null, 'Health was not answered.'],
    [
      'Redis',
      [node('a')],
      { status: 'ok', details: { redis: { connected: false } } },
      'Redis does not answer this node.',
    ],
  ] as [string, NodeView[], Readiness | null, string][])(
    'tell of %s',
    (_, nodes, readiness, text) => {
      expect(texts(nodes, readiness)).toEqual([text]);
    },
  );
});

test('the closes of an hour are summed over nodes, most first', () => {
  const series = (side: string, code: string, values: (number | null)[]) => ({
    name: 'x',
    labels: { side, code },
    values,
  });
  expect(
    closesOf({
      series: [
        series('client', '1001', [1, null]),
        series('server', 'session_revoked', [2, 1]),
        series('client', '1001', [3, 1]),
        series('transport', 'reset', [0, 0]),
      ],
    }),
  ).toEqual([
    { side: 'client', code: '1001', count: 5 },
    { side: 'server', code: 'session_revoked', count: 3 },
  ]);
});

describe('the overview', () => {
  test('keeps what it knew when a look is not answered, and says so', async () => {
    let away = false;
    const overview = new Overview(
      new ScriptedCaller((path) => {
        if (away) throw new Refused('network', 0);
        return path.startsWith('/v1/admin/nodes')
          ? { items: [node('a')] }
          : { series: [], points: 0 };
      }),
      () => Promise.resolve(well),
    );
    await overview.look();
    away = true;
    await overview.look();
    expect(overview.nodes.value).toHaveLength(1);
    expect(overview.trouble.value).toMatchObject({ title: 'No answer.', again: true });
  });

  test('does not look while it is hidden', async () => {
    const caller = new ScriptedCaller(() => ({ items: [], series: [], points: 0 }));
    const overview = new Overview(caller, () => Promise.resolve(well));
    const stop = overview.watch(() => false);
    await Promise.resolve();
    stop();
    expect(caller.calls).toEqual([]);
  });
});

test('times, sizes and agents are read as people say them', () => {
  expect([
    duration(41_000),
    duration(11 * 60_000),
    duration(26 * 3_600_000),
    duration(172_800_000),
  ]).toEqual(['41 s', '11 min', '1 d 2 h', '2 d']);
  expect([relative(0, 12_000), relative(60_000, 0), relative(400, 0)]).toEqual([
    '12 s ago',
    'in 1 min',
    'now',
  ]);
  expect([countdown(221_000), countdown(0)]).toEqual(['3:41', 'over']);
  expect([bytes(0), bytes(1_500), bytes(2_000_000)]).toEqual(['0 B', '1.5 kB', '2.0 MB']);
  expect(agent('Mozilla/5.0 (X11) Gecko/20100101 Firefox/133.0')).toBe('Firefox 133');
  expect(agent('x'.repeat(300))).toHaveLength(32);
  expect(agent(null)).toBe('no agent');
});

test('a refusal is a sentence, whatever was thrown', () => {
  expect(troubleOf(new TypeError('x')).title).toBe('Refused.');
  expect(troubleOf(new Refused('rate_limited', 429, 3_000)).text).toContain('Wait 3 s');
  expect(troubleOf(undefined).code).toBe('internal');
});
