/**
 * The Grafana dashboard as code: a row for each question. `npm run docs` writes it to
 * deploy/observability/grafana/wardroom.json.
 */
const DATASOURCE = { type: 'prometheus', uid: 'wardroom' };
const RATE = '$__rate_interval';
const WIDTH = 24;
const PANEL = { w: 8, h: 8 };

const rate = (selector, by) =>
  `sum${by === undefined ? '' : ` by (${by})`} (rate(${selector}[${RATE}]))`;
const quantile = (metric, q) =>
  `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket[${RATE}])))`;
const share = (part, whole) => `${rate(part)} / ${rate(whole)}`;

/**
 * Each panel: title, unit, queries with their legends, and what one sees there.
 * @type {{ title: string, panels: [string, string, [string, string][], string][] }[]}
 */
const ROWS = [
  {
    title: 'Are credentials true?',
    panels: [
      [
        'Fenced nodes',
        'none',
        [['wardroom_authority_fenced', '{{instance}}']],
        'Anything but 0 for longer than a deployment: a node serves nobody.',
      ],
      [
        'Position in the authority log',
        'none',
        [['wardroom_authority_position', '{{instance}}']],
        'Lines that part: a node is behind.',
      ],
      [
        'A right is taken away: commit to receipt',
        's',
        [
          [quantile('wardroom_receipt_seconds', 0.5), 'median'],
          [quantile('wardroom_receipt_seconds', 0.99), '99th percentile'],
        ],
        'Bounded by B, whatever happens.',
      ],
      [
        'Receipts that were pending',
        'none',
        [
          [
            'sum(increase(wardroom_receipt_seconds_count{effective="false"}[$__range]))',
            'in this time',
          ],
        ],
        'Each was answered before every node had confirmed it.',
      ],
      [
        'Clock: node minus Postgres',
        's',
        [['wardroom_clock_offset_seconds', '{{instance}}']],
        'At 5 s either way the node is fenced.',
      ],
      [
        'Sessions ended',
        'ops',
        [[rate('wardroom_sessions_ended_total', 'reason'), '{{reason}}']],
        '`token_reuse` is theft, or a client with a defect.',
      ],
    ],
  },
  {
    title: 'Is it fast?',
    panels: [
      [
        'Publish to commit',
        's',
        [
          [quantile('wardroom_publish_seconds', 0.5), 'median'],
          [quantile('wardroom_publish_seconds', 0.99), '99th percentile'],
        ],
        'The part of a publish that waits for Postgres.',
      ],
      [
        'REST calls',
        's',
        [
          [quantile('wardroom_http_seconds', 0.5), 'median'],
          [quantile('wardroom_http_seconds', 0.99), '99th percentile'],
        ],
        'All calls together.',
      ],
      [
        'Event loop, 99th percentile',
        's',
        [['wardroom_nodejs_eventloop_lag_p99_seconds', '{{instance}}']],
        'Everything on a node waits this long.',
      ],
      ['Connections', 'none', [['wardroom_connections', '{{instance}}']], 'Open ones, by node.'],
      [
        'Deliveries',
        'ops',
        [[rate('wardroom_deliveries_total', 'kind'), '{{kind}}']],
        'Frames queued for connections.',
      ],
      [
        'CPU',
        'percentunit',
        [[`rate(wardroom_process_cpu_seconds_total[${RATE}])`, '{{instance}}']],
        'Of one core.',
      ],
    ],
  },
  {
    title: 'Who is thrown out, and why?',
    panels: [
      [
        'Ends of connections by side',
        'ops',
        [[rate('wardroom_connections_closed_total', 'side'), '{{side}}']],
        'server: with a code; client: its close frame; transport: without one.',
      ],
      [
        'Ends by the server',
        'ops',
        [[rate('wardroom_connections_closed_total{side="server"}', 'code'), '{{code}}']],
        '`npx wardroom why CLOSE_ID` explains each.',
      ],
      [
        'Refused before the upgrade',
        'ops',
        [
          [
            rate('wardroom_handshakes_total{phase="upgrade",outcome!="accepted"}', 'outcome'),
            '{{outcome}}',
          ],
        ],
        'HTTP answers to upgrade requests.',
      ],
      [
        'Refused after the upgrade',
        'ops',
        [
          [
            rate('wardroom_handshakes_total{phase="auth",outcome!="accepted"}', 'outcome'),
            '{{outcome}}',
          ],
        ],
        'By the first credential, or because none came.',
      ],
      [
        'Errors answered',
        'ops',
        [[rate('wardroom_refusals_total', 'code'), '{{code}}']],
        '`internal` is a defect.',
      ],
      [
        'Sign-ins that failed',
        'ops',
        [
          [
            rate('wardroom_logins_total{outcome!="ok"}', 'method, outcome'),
            '{{method}} {{outcome}}',
          ],
        ],
        'Many: somebody guesses passwords.',
      ],
    ],
  },
  {
    title: 'Stores',
    panels: [
      [
        'Lease rounds (Postgres)',
        's',
        [
          [quantile('wardroom_authority_round_seconds', 0.5), 'median'],
          [quantile('wardroom_authority_round_seconds', 0.99), '99th percentile'],
        ],
        'Near B a node is fenced again and again.',
      ],
      [
        'Errors of Redis',
        'ops',
        [[rate('wardroom_redis_errors_total', 'kind'), '{{kind}}']],
        'Everything still works, only later.',
      ],
      [
        'Ignored in Redis',
        'ops',
        [[rate('wardroom_redis_ignored_total', 'channel, reason'), '{{channel}} {{reason}}']],
        '`forged` is another key, or somebody who writes to Redis.',
      ],
      [
        'Gaps closed from Postgres',
        'ops',
        [[rate('wardroom_gaps_repaired_total'), 'gaps']],
        'Announcements of Redis that were lost.',
      ],
      [
        'Replays',
        'ops',
        [[rate('wardroom_replay_reads_total', 'from'), '{{from}}']],
        'From memory, or from Postgres.',
      ],
      [
        'Lost',
        'none',
        [
          ['sum(increase(wardroom_audit_lost_total[$__range]))', 'audit records'],
          ['sum(increase(wardroom_audit_truncated_total[$__range]))', 'audit chains cut'],
          ['sum(increase(wardroom_room_events_lost_total[$__range]))', 'room events'],
          ['sum(increase(wardroom_closes_lost_total[$__range]))', 'explanations of closes'],
          [
            'sum(increase(wardroom_authority_history_replaced_total[$__range]))',
            'histories replaced',
          ],
        ],
        'In the time shown. Each but the explanations should be 0.',
      ],
    ],
  },
  {
    title: "The review's five items",
    panels: [
      [
        '1. Failures by invalid or expired tokens',
        'ops',
        [
          [
            rate(
              'wardroom_handshakes_total{outcome=~"auth_invalid|auth_loop|token_expired|token_revoked|session_revoked|session_expired"}',
              'outcome',
            ),
            'connect: {{outcome}}',
          ],
          [
            rate('wardroom_reauth_total{outcome!~"ok|same_token"}', 'outcome'),
            'renewal: {{outcome}}',
          ],
          [rate('wardroom_expiries_total', 'phase'), 'expiry: {{phase}}'],
        ],
        'Thresholds: docs/operations.md, "The monthly review".',
      ],
      [
        '2. Reconnects, by the end before them',
        'ops',
        [[rate('wardroom_reconnects_total', 'after'), '{{after}}']],
        '`expiry` should be rare: clients renew in place.',
      ],
      [
        '3. Denied, by action',
        'ops',
        [[rate('wardroom_denials_total', 'action'), '{{action}}']],
        '`subscribe` after a connect: a page with a room it lost, or somebody who searches.',
      ],
      [
        '4. Loops in this time',
        'none',
        [['sum by (kind) (increase(wardroom_auth_loops_total[$__range]))', '{{kind}}']],
        'Clients that repeat a refused credential, refresh or reconnect again and again.',
      ],
      [
        '5. Share of guests in sign-ins',
        'percentunit',
        [
          [
            share(
              'wardroom_logins_total{method="guest",outcome="ok"}',
              'wardroom_logins_total{outcome="ok"}',
            ),
            'guests',
          ],
        ],
        'A jump that nobody planned is a flood.',
      ],
      [
        '5. Carriers of credentials',
        'ops',
        [[rate('wardroom_carriers_total', 'carrier'), '{{carrier}}']],
        '`query` and `off` are tokens in addresses.',
      ],
    ],
  },
];

/** As Grafana imports it. */
export function dashboard() {
  const panels = [];
  let y = 0;
  for (const { title, panels: ofRow } of ROWS) {
    panels.push({ type: 'row', title, gridPos: { x: 0, y, w: WIDTH, h: 1 } });
    y += 1;
    ofRow.forEach((panel, i) => {
      const x = (i * PANEL.w) % WIDTH;
      panels.push(panelOf(panel, { x, y: y + Math.floor((i * PANEL.w) / WIDTH) * PANEL.h }));
    });
    y += Math.ceil((ofRow.length * PANEL.w) / WIDTH) * PANEL.h;
  }
  return {
    uid: 'wardroom',
    title: 'Wardroom',
    description: 'One row for each question. Alerts and what to do: docs/runbook.md.',
    tags: ['wardroom'],
    schemaVersion: 39,
    editable: false,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    panels: panels.map((panel, i) => ({ id: i + 1, ...panel })),
  };
}

function panelOf([title, unit, queries, description], place) {
  const isSum = queries.every(([expr]) => expr.includes('$__range'));
  return {
    type: isSum ? 'stat' : 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    gridPos: { ...place, ...PANEL },
    fieldConfig: { defaults: { unit, min: unit === 's' && /minus/.test(title) ? null : 0 } },
    ...(isSum ? { options: { reduceOptions: { calcs: ['lastNotNull'] } } } : {}),
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      instant: isSum,
      range: !isSum,
    })),
  };
}

export const dashboardText = () => `${JSON.stringify(dashboard(), null, 2)}\n`;
