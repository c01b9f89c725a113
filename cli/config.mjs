/** `wardroom config`: the values in effect, and whether an environment is a valid one. */
import { failed, line, linesText } from './checks.mjs';
import { CliError, printable } from './client.mjs';
import { fromBuild } from './local.mjs';
import { table } from './text.mjs';

const PAGE = 'docs/operations.md#configuration';
const USAGE = 'config print | config check';

export const CONFIG_COMMANDS = {
  config: {
    usage: USAGE,
    summary: 'the configuration in effect; or whether this environment is a valid one',
    args: 1,
    isLocal: ([what]) => what === 'check',
    run({ client, args: [what], print }) {
      if (what === 'print') return printConfig(client, print);
      if (what === 'check') return checkConfig(print);
      throw new CliError(2, `Usage: wardroom ${USAGE}`);
    },
  },
};

async function printConfig(client, print) {
  const { items = [], nodes = [] } = await client.get('/v1/admin/config');
  print(items, (rows) =>
    [table(rows, { variable: 'name', value: 'value', source: 'source' }), ...differing(nodes)].join(
      '\n',
    ),
  );
}

const differing = (nodes) =>
  nodes
    .filter(({ differs }) => differs === null || differs.length > 0)
    .map(({ id, name, differs }) => {
      const of = printable(`${name} (${id})`);
      if (differs === null) return `The node ${of} recorded no configuration.\n`;
      return `The node ${of} differs:\n${table(differs, { variable: 'name', there: 'value', here: 'here' })}`;
    });

async function checkConfig(print) {
  const lines = (await environment()).lines;
  print(lines, linesText);
  if (failed(lines)) throw new CliError(1, 'A node would not start with this environment.');
}

/** @returns the parsed configuration, or null, with a line for each problem */
export async function environment(env = process.env) {
  const { Config, ConfigError } = await fromBuild('platform/config/config.js');
  const misspelt = Config.misspelt(env).map((text) =>
    line('config.misspelt', 'warn', text, { page: PAGE }),
  );
  try {
    const config = Config.parse(env);
    return { config, lines: [...misspelt, ...valid(config)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map((problem) =>
      line('config.valid', 'fail', problem, { measured: 'refused', bound: 'valid', page: PAGE }),
    );
    return { config: null, lines: [...lines, ...misspelt] };
  }
}

function valid(config) {
  const lines = [
    line('config.valid', 'ok', 'The environment is a valid configuration.', {
      measured: `${config.effective.filter(({ source }) => source !== 'default').length} values given`,
    }),
  ];
  if (!config.production)
    lines.push(
      line('config.mode', 'warn', 'NODE_ENV is not production: rules for production are off.', {
        measured: config.mode,
        bound: 'production',
        page: PAGE,
      }),
    );
  if (config.allowInsecureHttp)
    lines.push(
      line('config.https', 'warn', 'ALLOW_INSECURE_HTTP is on: credentials may go over HTTP.', {
        measured: 'on',
        bound: 'off',
        page: 'docs/operations.md#tls-proxies-paths-origins',
      }),
    );
  return lines;
}
