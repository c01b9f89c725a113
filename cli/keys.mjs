/** `wardroom keys`: signing keys. */
import { CliError } from './client.mjs';
import { runBuilt } from './local.mjs';
import { facts, table } from './text.mjs';

const USAGE = 'keys | keys rotate [--service --reason TEXT] | keys withdraw KID --reason TEXT';

export const KEY_COMMANDS = {
  keys: {
    usage: USAGE,
    summary: 'signing keys; `rotate` needs the environment of a node, or asks the running service',
    args: [0, 1, 2],
    isLocal: ([what]) => what === 'rotate',
    async run({ client, args: [what, kid], flags: { reason, service }, print }) {
      if (what === undefined) return list(client, print);
      if (what === 'rotate' && kid === undefined)
        return service === true ? rotateThere(client, reason, print) : rotate();
      if (what === 'withdraw' && kid !== undefined) return withdraw(client, kid, reason, print);
      throw new CliError(2, `Usage: wardroom ${USAGE}`);
    },
  },
};

async function list(client, print) {
  const { items = [] } = await client.get('/v1/admin/keys');
  print(items, (rows) =>
    table(rows, {
      key: 'kid',
      alg: 'alg',
      state: 'state',
      made: 'created_at',
      'signs from': 'signs_from',
      retired: 'retired_at',
      withdrawn: 'withdrawn_at',
    }),
  );
}

async function rotateThere(client, reason, print) {
  if (client === null)
    throw new CliError(2, 'Which deployment? Give --url, WARDROOM_URL, or `wardroom login --url`.');
  const rotated = await client.post('/v1/admin/keys/rotate', { reason });
  print([rotated], ([{ key }]) => facts(`Published; it signs from ${key.signs_from}.`, key));
}

/** Without a running service: the key is wrapped here, by SECRET_KEY. */
async function rotate() {
  const code = await runBuilt('auth/keys/keys-cli.js', ['rotate']);
  if (code !== 0) throw new CliError(3, 'The keys were not rotated.');
}

async function withdraw(client, key, reason, print) {
  const receipt = await client.post('/v1/admin/revocations', { key, reason });
  print([receipt], ([row]) => facts('Withdrawn.', row));
  if (!client.curl && receipt.effective !== true)
    throw new CliError(1, `Not effective on every node yet: receipt ${receipt.id}`);
}
