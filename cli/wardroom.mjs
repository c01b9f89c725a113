#!/usr/bin/env node
/**
 * `wardroom <command>`: questions of an operator to a running deployment, over its REST interface.
 *
 *   0 done · 1 a check failed, or an id is unknown · 2 usage · 3 it could not run
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CliError, Client } from './client.mjs';
import { COMMANDS } from './commands.mjs';
import { keptLogin } from './login.mjs';
import { mayAskPassword, readPassword } from './password.mjs';

/** @type {NonNullable<import("node:util").ParseArgsConfig["options"]>} */
const OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean', default: false },
  curl: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  'password-stdin': { type: 'boolean' },
  tenant: { type: 'string' },
  user: { type: 'string' },
  email: { type: 'string' },
  session: { type: 'string' },
  key: { type: 'string' },
  reason: { type: 'string' },
  event: { type: 'string' },
  limit: { type: 'string' },
  room: { type: 'string' },
  node: { type: 'string' },
  ip: { type: 'string' },
  state: { type: 'string' },
  stop: { type: 'boolean' },
  note: { type: 'string' },
  range: { type: 'string' },
  name: { type: 'string' },
  uses: { type: 'string' },
  service: { type: 'boolean' },
  seconds: { type: 'string' },
  q: { type: 'string' },
  device: { type: 'string' },
  before: { type: 'string' },
  after: { type: 'string' },
};

function usage() {
  const drills = { usage: 'drill', summary: 'checks the promises on a deployment: docs/drills.md' };
  const lines = Object.entries({ ...COMMANDS, drill: drills }).map(([name, command]) => {
    const forms = command.usage.split(new RegExp(` \\| (?=${name}\\b)`));
    return `${forms.map((form) => `  ${form}\n`).join('')}      ${command.summary}`;
  });
  return `Usage: wardroom <command> [flags]

${lines.join('\n')}

  --url URL      the deployment; WARDROOM_URL, or that of \`wardroom login\`
  --token TOKEN  an access token of an operator; better in WARDROOM_TOKEN, or by \`wardroom login\`
  --password-stdin
                 the password is the first line of the input; else WARDROOM_PASSWORD, or the
                 terminal. Asked for by \`login\`, and where the server asks for it again
  --json         one JSON object a line
  --curl         prints the request, and sends nothing
`;
}

async function main(args) {
  // It has flags of its own: docs/drills.md.
  if (args[0] === 'drill') return drill(args.slice(1));
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new CliError(2, error.message);
  }
  const { values, positionals } = parsed;
  const [name, ...rest] = positionals;
  if (values.help || name === undefined) {
    process.stdout.write(usage());
    return values.help ? 0 : 2;
  }
  const command = COMMANDS[name];
  if (command === undefined) throw new CliError(2, `No command is called "${name}".`);
  if (![command.args].flat().includes(rest.length))
    throw new CliError(2, `Usage: wardroom ${command.usage}`);
  requireItsFlags(command, values);
  const client = clientOf(values);
  if (client === null && command.isLocal?.(rest) !== true)
    throw new CliError(2, 'Which deployment? Give --url, WARDROOM_URL, or `wardroom login --url`.');
  await command.run({ client, args: rest, flags: values, print: printer(values) });
  return 0;
}

/**
 * Null: nobody named a deployment.
 * @param {Record<string, any>} flags
 */
function clientOf(flags) {
  const { url: named, curl, token } = flags;
  const kept = keptLogin();
  const url = named ?? process.env.WARDROOM_URL ?? kept?.url;
  if (url === undefined) return null;
  const client = new Client({ url, curl });
  const mine = kept?.url === client.url ? kept.token : undefined;
  if (mayAskPassword(flags))
    client.askPassword = () => readPassword('Your password, once more: ', flags);
  client.token = token ?? process.env.WARDROOM_TOKEN ?? mine;
  return client;
}

const OF_ALL = new Set(['url', 'token', 'json', 'curl', 'help', 'password-stdin']);

/** A flag that a command does not take is a mistake: the answer would be another than was meant. */
function requireItsFlags({ usage: text }, values) {
  for (const name of Object.keys(values))
    if (!OF_ALL.has(name) && !new RegExp(`--${name}\\b`).test(text))
      throw new CliError(2, `--${name} means nothing here. Usage: wardroom ${text}`);
}

/**
 * A list of rows: as JSON lines, or as the text that the command makes of them.
 * @param {Record<string, unknown>} flags
 */
function printer({ json, curl }) {
  return (rows, textOf) => {
    if (curl) return;
    const text = json ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : textOf(rows);
    process.stdout.write(text);
  };
}

/** From the sources in a checkout, from the build in an image. */
function drill(args) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const script = [join(root, 'scripts/drill.mjs'), join(root, 'dist/drill.js')].find(existsSync);
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 3)));
}

// A reader that has enough, such as `head`, is no trouble.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
