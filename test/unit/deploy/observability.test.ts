/**
 * Alert rules, dashboard, compose profile and runbook belong together, and to the service: each
 * metric and label exists, each alert is tested and has its section.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { dashboard, dashboardText } from '../../../scripts/observability/dashboard.mjs';
import { Metrics } from '../../../src/platform/metrics.js';
import { testWith } from '../../support/needs.js';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const FOLDER = 'deploy/observability';
const rules = read(`${FOLDER}/alerts.yml`);
const ruleTests = ['alerts.test.yml', 'alerts-day.test.yml']
  .map((file) => read(`${FOLDER}/${file}`))
  .join('\n');
const runbook = read('docs/runbook.md');
const alerts = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name!);

interface Known {
  name: string;
  labelNames: string[];
  isHistogram: boolean;
}

const known = new Map<string, Known>();
for (const metric of new Metrics().registry.getMetricsAsArray()) {
  const { name, labelNames } = metric as unknown as Known;
  known.set(name, { name, labelNames, isHistogram: metric.constructor.name === 'Histogram' });
}

/** The metric of a name in a query, with its histogram's endings. */
function metricOf(name: string): Known | undefined {
  const exact = known.get(name);
  if (exact !== undefined && !exact.isHistogram) return exact;
  const base = known.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  return base?.isHistogram === true && base.name !== name ? base : undefined;
}

/** Names and matchers of all queries in a text. */
function usesIn(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/\b(wardroom_[a-z0-9_]+)(?:\{([^{}]*)\})?/g)].map(
    ([, name, matchers]) => ({
      name: name!,
      labels: [...(matchers ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
    }),
  );
}

/** Prometheus adds these. */
const OF_PROMETHEUS = ['instance', 'job', 'le'];

describe.each([
  ['alert rules', rules, 35],
  ['their tests', ruleTests, 35],
  [
    'dashboard',
    dashboard()
      .panels.flatMap(({ targets = [] }: any) => targets.map(({ expr }: any) => expr))
      .join('\n'),
    25,
  ],
  ['runbook', runbook, 25],
])('%s', (_, text, atLeast) => {
  const uses = usesIn(text);

  test('name metrics of the service, and no others', () => {
    expect(new Set(uses.map(({ name }) => name)).size).toBeGreaterThan(atLeast / 2);
    const absent = uses.filter(({ name }) => metricOf(name) === undefined && !known.has(name));
    expect(absent.map(({ name }) => name)).toEqual([]);
  });

  test('ask for labels that these metrics have', () => {
    const wrong = uses.flatMap(({ name, labels }) =>
      labels
        .filter((label) => !OF_PROMETHEUS.includes(label))
        .filter((label) => metricOf(name)?.labelNames.includes(label) !== true)
        .map((label) => `${name}{${label}}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('queries of the rules and the dashboard use histograms by their series only', () => {
  const bare = usesIn(`${rules}\n${dashboardText()}`).filter(
    ({ name }) => metricOf(name) === undefined,
  );
  expect(bare).toEqual([]);
});

describe('an alert', () => {
  test('has a name of its own, a severity, a summary and its section of the runbook', () => {
    expect(new Set(alerts).size).toBe(alerts.length);
    const blocks = rules.split(/^ +- alert: /m).slice(1);
    for (const block of blocks) {
      const [name] = block.split('\n');
      expect(block).toMatch(/severity: (?:page|ticket|info)\b/);
      expect(block).toMatch(/summary: \S/);
      expect(block).toContain(`runbook: docs/runbook.md#${name!.toLowerCase()}\n`);
    }
  });

  test('has a section that says what it means, where to look, what to do, and when it is over', () => {
    const sections = runbook.split(/^### /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(alerts);
    for (const section of sections) {
      const parts = [...section.matchAll(/^\* \*\*([\w ]+):\*\* \S/gm)].map(([, part]) => part);
      expect(parts).toEqual(['Means', 'Look at', 'Do', 'Over when']);
    }
  });

  test('has the severity that the runbook says', () => {
    const told = [...runbook.matchAll(/^### (\w+)\n\n`(\w+)`$/gm)].map(([, name, severity]) => [
      name,
      severity,
    ]);
    const ruled = [...rules.matchAll(/- alert: (\w+)\n[^]*?severity: (\w+)/g)].map(
      ([, name, severity]) => [name, severity],
    );
    expect(told).toEqual(ruled);
  });

  test('is tested: it fires on its trouble, and not in a quiet day', () => {
    const [troubles, quiet] = ruleTests.split('# a quiet day');
    const fires = [...troubles!.matchAll(/alertname: (\w+)\n +exp_alerts:\n/g)].map(([, n]) => n);
    const silent = [...quiet!.matchAll(/alertname: (\w+), exp_alerts: \[\]/g)].map(([, n]) => n);
    expect([...new Set(fires)].sort()).toEqual([...alerts].sort());
    expect(silent.sort()).toEqual([...alerts].sort());
  });
});

describe('the dashboard', () => {
  test('has a row for each question, and every panel its queries and a description', () => {
    const { panels } = dashboard() as { panels: any[] };
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Are credentials true?',
      'Is it fast?',
      'Who is thrown out, and why?',
      'Stores',
      "The review's five items",
    ]);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      expect(panel.targets.length).toBeGreaterThan(0);
      expect(panel.description).not.toBe('');
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test('lays no panel over another', () => {
    const cells = new Set<string>();
    for (const { gridPos } of dashboard().panels as any[])
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x} ${y}`)).toBe(false);
          cells.add(`${x} ${y}`);
        }
  });

  test('is written as it is made (npm run docs)', () => {
    expect(read(`${FOLDER}/grafana/wardroom.json`)).toBe(dashboardText());
  });
});

test('the compose profile mounts files that exist, and publishes on this machine only', () => {
  const compose = read('docker-compose.yml');
  const mounted = [...compose.matchAll(/'\.\/(deploy\/observability\/[^:]+):/g)].map(([, p]) => p!);
  expect(mounted.length).toBe(5);
  for (const path of mounted) expect(existsSync(join(root, path))).toBe(true);
  for (const [, port] of compose.matchAll(/ports: \['([^']+)'/g))
    expect(port).toMatch(/^127\.0\.0\.1:/);
  const services = compose.split(/^ {2}(?=\w+:\n)/m);
  for (const name of ['prometheus', 'grafana'])
    expect(services.find((service) => service.startsWith(`${name}:\n    image`))).toContain(
      'profiles: [observability]',
    );
});

/** Debian's package `prometheus` has it. */
const promtool = {
  met: spawnSync('promtool', ['--version']).status === 0,
  reason: 'promtool is not on PATH (package `prometheus`)',
};

/** The queries of the dashboard as rules, with times in the place of Grafana's variables. */
function dashboardRules(): string {
  const exprs = (dashboard().panels as any[]).flatMap(({ targets = [] }) =>
    targets.map(({ expr }: any) => expr.replaceAll(/\$__(?:rate_interval|range)/g, '5m')),
  );
  // JSON is YAML, too.
  const rulesOf = exprs.map((expr, i) => ({ record: `panel:query_${i}`, expr }));
  return JSON.stringify({ groups: [{ name: 'dashboard', rules: rulesOf }] });
}

describe('promtool', () => {
  testWith(promtool, 'queries of the dashboard by promtool')('the dashboard: every query', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-dashboard-'));
    try {
      writeFileSync(join(folder, 'dashboard.yml'), dashboardRules());
      const { status, stdout, stderr } = spawnSync(
        'promtool',
        ['check', 'rules', 'dashboard.yml'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
      expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({
        status: 0,
        said: '',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  testWith(promtool, 'alert rules by promtool').each([
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', 'alerts.yml'],
    ['test', 'rules', 'alerts.test.yml', 'alerts-day.test.yml'],
  ])('%s %s of %s', (...args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: join(root, FOLDER),
      encoding: 'utf8',
    });
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
  });
});
