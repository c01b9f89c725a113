/** The drills as data: their order, their page, and what a run makes of its findings. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  DRILLS,
  PHASES,
  compareRuns,
  drillText,
  junit,
  markdown,
  ndjson,
  tailText,
} from '../../../drills/src/index.js';
import type { Run, StepResult } from '../../../drills/src/index.js';
import { Heard } from '../../../drills/src/wire/heard.js';
import { seeded } from '../../../drills/src/run-drills.js';
import { Stage } from '../../../drills/src/stage.js';
import type { StageParts } from '../../../drills/src/stage.js';
import { step } from '../../../drills/src/steps.js';

const page = readFileSync('docs/drills.md', 'utf8');

describe('every drill', () => {
  test('is there, D1 to D12', () => {
    expect(DRILLS.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => `D${i + 1}`));
  });

  test.each(DRILLS)('$id keeps the one order in each of its scenes', ({ steps }) => {
    const scenes = new Map<string, number[]>();
    for (const [key, { phase }] of Object.entries(steps)) {
      const scene = key.startsWith(phase) ? '' : key.split('.')[0]!;
      expect(key.split('.')).toContain(phase);
      scenes.set(scene, [...(scenes.get(scene) ?? []), PHASES.indexOf(phase)]);
    }
    for (const order of scenes.values()) expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test.each(DRILLS)('$id checks each phase', ({ steps }) => {
    const phases = new Set(Object.values(steps).map(({ phase }) => phase));
    expect([...phases].sort()).toEqual([...PHASES].sort());
  });

  test.each(DRILLS)('$id is described in docs/drills.md, step by step', ({ id, steps }) => {
    const section = page.split(`\n## ${id}\n`)[1]?.split('\n## ')[0] ?? '';
    for (const [key, { sentence, bound }] of Object.entries(steps))
      expect(section).toContain(`| \`${id}.${key}\` | ${sentence} | ${bound ?? '-'} |`);
  });
});

test('a fault between two steps is no finding of the next one, and its text says so', async () => {
  const steps = { detect: step('detect', 'It is seen.'), stop: step('stop', 'It ends.') };
  const run = async (stage: Stage<string>): Promise<void> => {
    await stage.step('detect', () => {});
    throw new Error('no answer to subscribe');
  };
  const stage = new Stage({ id: 'D1', steps, run }, {} as StageParts);
  await stage.run();
  expect(stage.results()).toMatchObject([
    { id: 'D1.detect', verdict: 'passed' },
    { id: 'D1.stop', verdict: 'failed', why: 'before this step: no answer to subscribe' },
  ]);
});

const passed: StepResult = {
  id: 'D1.detect',
  phase: 'detect',
  sentence: 'It is <seen> & told.',
  verdict: 'passed',
  measured: 12,
  bound: 350,
  unit: 'ms',
};
const failed: StepResult = {
  id: 'D1.stop',
  phase: 'stop',
  sentence: 'It stops.',
  verdict: 'failed',
  why: 'a "message" came',
  page: 'docs/drills.md#d1',
};
const runOf = (...steps: StepResult[]): Run => ({
  seed: 7,
  urls: ['http://localhost:3000'],
  started_at: '2026-11-30T00:00:00.000Z',
  ms: 1_500,
  versions: {},
  round_trip_ms: 1.5,
  drills: [{ id: 'D1', name: 'a drill', verdict: 'failed', ms: 1_000, steps }],
  removed: '1 tenant erased',
  verdict: 'failed',
});
const run = runOf(passed, failed);

describe('a run', () => {
  test('is told to people in aligned columns, with the page behind a failure', () => {
    const text = drillText(run.drills[0]!);
    expect(text).toMatch(/^D1 {3}a drill: failed, 1\.0 s$/m);
    expect(text).toMatch(/^ {2}D1\.detect .* 12 ms +of 350 ms {2}ok$/m);
    expect(text).toMatch(
      /^ {2}D1\.stop .* FAILED\n +a "message" came\n +see docs\/drills\.md#d1$/m,
    );
    const ends = text.split('\n').flatMap((line) => /\s(?:ok|FAILED)$/.exec(line)?.index ?? []);
    expect(new Set(ends).size).toBe(1);
    expect(tailText(run)).toContain('0 passed, 1 failed, in 1.5 s.');
  });

  test('is NDJSON: a line a step, then the run', () => {
    const lines = ndjson(run).split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ type: 'step', drill: 'D1', id: 'D1.detect', measured: 12 }),
      expect.objectContaining({ type: 'step', drill: 'D1', id: 'D1.stop', verdict: 'failed' }),
      expect.objectContaining({ type: 'run', seed: 7, verdict: 'failed' }),
    ]);
  });

  test('is JUnit with its characters escaped', () => {
    const xml = junit(run);
    expect(xml).toContain('tests="2" failures="1" skipped="0"');
    expect(xml).toContain('name="It is &lt;seen&gt; &amp; told." time="0.012"/>');
    expect(xml).toContain('<failure message="a &quot;message&quot; came; docs/drills.md#d1"/>');
  });

  test('is a table in Markdown', () => {
    expect(markdown(run)).toContain(
      '| D1.detect | It is <seen> & told. | 12 ms | 350 ms | passed |',
    );
  });

  test('is compared with an earlier one: verdicts, and times that grew much', () => {
    const earlier = runOf({ ...passed, measured: 1 }, { ...failed, verdict: 'passed' });
    expect(compareRuns(earlier, run)).toEqual(['D1.stop failed, was passed']);
    const later = runOf({ ...passed, measured: 200 }, failed);
    expect(compareRuns(run, later)).toEqual(['D1.detect took 200 ms, was 12 ms']);
    expect(compareRuns(run, run)).toEqual([]);
  });

  test('has the same random numbers for the same seed', () => {
    const [one, again, other] = [seeded(1), seeded(1), seeded(2)];
    const numbers = Array.from({ length: 5 }, one);
    expect(Array.from({ length: 5 }, again)).toEqual(numbers);
    expect(Array.from({ length: 5 }, other)).not.toEqual(numbers);
  });
});

describe('frames of a server', () => {
  const token = 'wr_rt_a-secret-of-the-run-that-is-long';
  const headers = new Headers();

  test('is searched for every secret of the run, in frames, closes, bodies and headers', () => {
    const heard = new Heard();
    heard.answer('/v1/auth/login', 200, headers, JSON.stringify({ refresh_token: token }));
    expect(heard.findings()).toEqual([]);
    heard.frame(`{"message":"${token}"}`);
    heard.close(token);
    heard.answer('/v1/rooms?cursor=x', 422, headers, token);
    heard.answer('/v1/me', 401, new Headers({ 'x-debug': token }), '{}');
    expect(heard.findings().map(({ where }) => where)).toEqual([
      'a frame',
      'a close reason',
      'the answer 422 of /v1/rooms',
      'the answer 401 of /v1/me',
    ]);
  });

  test('has a finding for a JWT of anybody', () => {
    const heard = new Heard();
    heard.frame(`eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(30)}`);
    expect(heard.findings()).toEqual([{ secret: 'something like a token', where: 'a frame' }]);
  });
});
