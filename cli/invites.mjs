/** `wardroom invites`: links by which people register in a tenant. */
import { CliError } from './client.mjs';
import { facts, table } from './text.mjs';

const USAGE =
  'invites --tenant T | invites create --tenant T [--email EMAIL] [--uses N] [--seconds N] | invites withdraw ID --tenant T';

export const INVITE_COMMANDS = {
  invites: {
    usage: USAGE,
    summary: 'links by which people register in a tenant: those that are alive, a new one, or none',
    args: [0, 1, 2],
    run({ client, args: [what, id], flags, print }) {
      const { tenant } = flags;
      if (tenant === undefined) throw new CliError(2, `Usage: wardroom ${USAGE}`);
      const path = `/v1/admin/tenants/${encodeURIComponent(tenant)}/invites`;
      if (what === undefined) return list(client, path, print);
      if (what === 'create' && id === undefined) return create(client, path, flags, print);
      if (what === 'withdraw' && id !== undefined) return withdraw(client, path, id, print);
      throw new CliError(2, `Usage: wardroom ${USAGE}`);
    },
  },
};

async function list(client, path, print) {
  const { items = [] } = await client.get(path);
  print(items, (rows) =>
    table(
      rows.map((row) => ({
        ...row,
        used: `${row.uses}${row.max_uses === null ? '' : ` of ${row.max_uses}`}`,
      })),
      { invitation: 'id', email: 'email', used: 'used', made: 'created_at', ends: 'expires_at' },
    ),
  );
}

async function create(client, path, { email, uses, seconds }, print) {
  const invite = await client.post(path, {
    ...(email === undefined ? {} : { email }),
    ...(uses === undefined ? {} : { max_uses: Number(uses) }),
    ...(seconds === undefined ? {} : { expires_in: Number(seconds) }),
  });
  print([invite], ([{ url, expires_at: ends, mailed }]) =>
    facts(
      mailed
        ? `The link was mailed; it is shown here once, and ends ${ends}:`
        : `Hand this link on; it is shown once, and ends ${ends}:`,
      { url },
    ),
  );
}

async function withdraw(client, path, id, print) {
  const withdrawn = await client.call('DELETE', `${path}/${encodeURIComponent(id)}`);
  print([withdrawn], ([row]) => facts('Withdrawn.', row));
}
