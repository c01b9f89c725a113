/**
 * `wardroom doctor`: whether this machine, its stores and the service are as the docs ask. It takes
 * the environment of a node, and goes on where something is down.
 */
import { failed, line, linesText } from '../checks.mjs';
import { CliError } from '../client.mjs';
import { environment } from '../config.mjs';
import { machineLines } from './machine.mjs';
import { postgresLines } from './postgres.mjs';
import { redisLines } from './redis.mjs';
import { serviceLines } from './service.mjs';
import { fileLines } from './tls.mjs';

export const DOCTOR_COMMANDS = {
  doctor: {
    usage: 'doctor',
    summary: 'checks configuration, machine, stores, clocks, TLS and nodes; needs no service',
    args: 0,
    isLocal: () => true,
    async run({ client, flags: { curl }, print }) {
      if (curl) throw new CliError(2, 'Most of it is no request.');
      const lines = await check(client);
      print(lines, linesText);
      if (failed(lines)) throw new CliError(1, 'Something is not as it should be.');
    },
  },
};

const STORES = ['DATABASE_URL', 'DATABASE_URL_FILE', 'REDIS_URL', 'REDIS_URL_FILE'];

async function check(client) {
  const hasEnvironment = STORES.some((name) => (process.env[name] ?? '') !== '');
  if (!hasEnvironment && client === null)
    throw new CliError(
      3,
      'There is nothing to check: give the environment of a node (DATABASE_URL, REDIS_URL, ...), or --url.',
    );
  const ofEnvironment = hasEnvironment ? await ofThisNode() : [];
  return [...ofEnvironment, ...(client === null ? [] : await serviceLines(client))];
}

/** Where the configuration is refused, what can be read of it is checked all the same. */
async function ofThisNode() {
  const { config, lines } = await environment();
  if (config === null)
    return [
      ...lines,
      ...machineLines({ connectionsMax: null }),
      line('stores', 'warn', 'Stores are not checked: the configuration is refused.'),
    ];
  const [postgres, redis] = await Promise.all([
    postgresLines(config.databaseUrl),
    redisLines(config.redisUrl),
  ]);
  return [...lines, ...machineLines(config), ...postgres, ...redis, ...fileLines(config.tlsFiles)];
}
