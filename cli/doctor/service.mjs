/** The running service: readiness, clock and certificate; with a credential also its nodes. */
import { line } from '../checks.mjs';
import { CliError, printable } from '../client.mjs';
import { clocks } from './postgres.mjs';
import { addressLines } from './tls.mjs';

const PATIENCE_MS = 5_000;
/** The header has whole seconds. */
const DATE_MS = 1_000;

export async function serviceLines(client) {
  const [ready, tls] = await Promise.all([readyLines(client.url), addressLines(client.url)]);
  const isThere = ready[0]?.id === 'service.ready' && ready.length > 1;
  return [...ready, ...tls, ...(isThere ? await nodeLines(client) : [])];
}

async function readyLines(url) {
  const before = Date.now();
  let response;
  try {
    response = await fetch(`${url}/readyz`, {
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    const cause = printable(error.cause?.code ?? error.message);
    return [
      line('service.ready', 'fail', `The service does not answer: ${cause}`, {
        measured: 'no answer',
        bound: '200',
        page: 'docs/operations.md#health-stopping-rolling',
      }),
    ];
  }
  const after = Date.now();
  /** @type {{ error?: object }} */
  const body = await response.json().catch(() => ({}));
  const down = Object.keys(body.error ?? {});
  const sentence =
    down.length === 0 ? 'The service is ready.' : `The service is not ready: ${down.join(', ')}.`;
  const dateMs = Date.parse(response.headers.get('date') ?? '');
  return [
    line('service.ready', response.ok ? 'ok' : 'fail', printable(sentence), {
      measured: response.status,
      bound: 200,
      page: 'docs/operations.md#when-something-is-away',
    }),
    Number.isNaN(dateMs)
      ? line('clock.service', 'warn', 'The service says no time.')
      : clocks('clock.service', 'The clocks of this machine and of the service agree.', {
          offsetMs: Math.round((before + after) / 2 - dateMs - DATE_MS / 2),
          errorMs: Math.ceil((after - before) / 2) + DATE_MS / 2,
        }),
  ];
}

async function nodeLines(client) {
  if (client.token === undefined)
    return [line('nodes', 'warn', 'Nodes are not checked: that needs a login (wardroom login).')];
  try {
    const { items = [] } = await client.get('/v1/admin/nodes');
    const { nodes = [] } = await client.get('/v1/admin/config');
    return [...itemLines(items), configLine(nodes)];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [line('nodes', 'warn', `Nodes are not checked: ${error.message}`)];
  }
}

function itemLines(items) {
  const present = items.filter(({ state }) => state !== 'gone');
  const versions = new Set(present.map(({ version }) => version ?? 'unknown'));
  const fenced = present.filter(({ state }) => state === 'fenced').map(({ name }) => name);
  const offsets = present.map(({ clock_offset_ms: offset }) => Math.abs(offset ?? 0));
  return [
    line('nodes.versions', versions.size > 1 ? 'warn' : 'ok', 'All nodes are of one version.', {
      measured: [...versions].join(', '),
      bound: 'one version',
      page: 'docs/operations.md#health-stopping-rolling',
    }),
    line('nodes.fenced', fenced.length > 0 ? 'fail' : 'ok', 'Every node can prove its authority.', {
      measured: `${fenced.length} of ${present.length} fenced ${fenced.join(', ')}`.trim(),
      bound: 'none fenced',
      page: 'docs/operations.md#when-something-is-away',
    }),
    clocks('clock.nodes', 'The clocks of the nodes and of Postgres agree.', {
      offsetMs: Math.max(0, ...offsets),
      errorMs: 0,
    }),
  ];
}

function configLine(nodes) {
  const differing = nodes.filter(({ differs }) => differs === null || differs.length > 0);
  const names = new Set(
    differing.flatMap(({ differs }) => (differs ?? []).map(({ name }) => name)),
  );
  return line(
    'nodes.configuration',
    differing.length > 0 ? 'warn' : 'ok',
    'All nodes have one configuration (wardroom config print).',
    {
      measured:
        differing.length === 0
          ? 'no difference'
          : `${differing.length} differ in ${[...names].join(', ')}`,
      bound: 'no difference',
      page: 'docs/operations.md#configuration',
    },
  );
}
