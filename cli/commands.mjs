/** The commands, one row each: usage, arguments, the call, and the text that people read. */
import { AUDIT_COMMANDS } from './audit.mjs';
import { BACKUP_COMMANDS } from './backup.mjs';
import { CliError } from './client.mjs';
import { CONFIG_COMMANDS } from './config.mjs';
import { DOCTOR_COMMANDS } from './doctor/doctor.mjs';
import { INVITE_COMMANDS } from './invites.mjs';
import { KEY_COMMANDS } from './keys.mjs';
import { LIVE_COMMANDS } from './live.mjs';
import { forgetLogin, keepLogin } from './login.mjs';
import { readPassword } from './password.mjs';
import { REVIEW_COMMANDS } from './review.mjs';
import { facts, table } from './text.mjs';
import { TOKEN_COMMANDS } from './tokens.mjs';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const CLOSE_ID = /^[0-9a-f]{12}$/;

export const COMMANDS = {
  login: {
    usage: 'login --email EMAIL [--tenant T]',
    summary:
      'signs in; the password comes from WARDROOM_PASSWORD, --password-stdin or the terminal',
    args: 0,
    async run({ client, flags, print }) {
      const { email, tenant = 'system' } = flags;
      if (email === undefined) throw new CliError(2, 'Usage: wardroom login --email EMAIL');
      if (client.curl) throw new CliError(2, 'A login is not printed: it would hold the password.');
      const password = await readPassword(`Password of ${email}: `, flags);
      const body = { tenant, email, password, device: 'wardroom command' };
      const { access_token: token, expires_in: seconds } = await client.post(
        '/v1/auth/login',
        body,
      );
      keepLogin({ url: client.url, token, seconds });
      print(
        [{ url: client.url, expires_in: seconds }],
        () => `Signed in to ${client.url} for ${Math.round(seconds / 60)} minutes.\n`,
      );
    },
  },
  logout: {
    usage: 'logout',
    summary: 'ends the session of `login` and forgets it',
    args: 0,
    async run({ client, print }) {
      const receipt = await client.post('/v1/auth/logout', {});
      if (!client.curl) forgetLogin();
      print([receipt], () => 'Signed out.\n');
    },
  },
  why: {
    usage: 'why <close_id | connection_id | decision_id>',
    summary: 'why a connection closed, or why something was refused',
    args: 1,
    async run({ client, args: [id], print }) {
      if (CLOSE_ID.test(id)) return print([await client.get(`/v1/admin/closes/${id}`)], closeText);
      if (!ID.test(id)) throw new CliError(2, 'An id has 12 hex digits, or is a UUID.');
      const close = await client.get(`/v1/admin/closes/${id}`).catch((error) => {
        if (error instanceof CliError && error.exitCode === 1) return null;
        throw error;
      });
      if (close !== null) return print([close], closeText);
      print([await client.get(`/v1/admin/decisions/${id}`)], decisionText);
    },
  },
  sessions: {
    usage:
      'sessions [--state live|ended|all] [--q TEXT] [--tenant T] [--user U] [--device D] [--ip A] [--before T] [--after T] [--limit N]',
    summary: 'live sessions, or ended ones of 90 days; newest first',
    args: 0,
    async run({ client, flags, print }) {
      print(await sessions(client, flags), (rows) =>
        table(rows.map(sessionRow), {
          session: 'id',
          user: 'person',
          device: 'device',
          address: 'ip',
          connections: 'connections',
          since: 'created_at',
          'last active': 'last_active_at',
          ended: 'ended_at',
          why: 'reason',
        }),
      );
    },
  },
  revoke: {
    usage: 'revoke --session S | --user U | --tenant T | --key K --reason TEXT',
    summary: 'ends sessions now, and waits until every node knows',
    args: 0,
    async run({ client, flags: { session, user, tenant, key, reason }, print }) {
      const receipt = await client.post('/v1/admin/revocations', {
        session,
        user,
        tenant,
        key,
        reason,
      });
      print([receipt], ([row]) => facts('Revoked.', row));
      if (!client.curl && receipt.effective !== true)
        throw new CliError(1, `Not effective on every node yet: receipt ${receipt.id}`);
    },
  },
  tenants: {
    usage: 'tenants [--limit N]',
    summary: 'tenants',
    args: 0,
    async run({ client, flags: { limit }, print }) {
      const { items = [] } = await client.get('/v1/admin/tenants', { limit });
      print(items, (rows) =>
        table(rows, { tenant: 'id', slug: 'slug', name: 'name', state: 'state' }),
      );
    },
  },
  users: {
    usage: 'users --tenant T [--limit N] | users reset-password ID',
    summary:
      'users of a tenant; or a link by which a user sets a new password, once, for 30 minutes',
    args: [0, 2],
    async run({ client, args: [deed, id], flags: { tenant, limit }, print }) {
      if (deed !== undefined) {
        if (deed !== 'reset-password' || !ID.test(id))
          throw new CliError(2, 'Usage: wardroom users reset-password ID');
        const link = await client.post(`/v1/admin/users/${id}/password-reset`, {});
        return print([link], ([{ url, expires_in: seconds }]) =>
          facts(`Hand this link to the user, within ${seconds / 60} minutes:`, { url }),
        );
      }
      if (tenant === undefined) throw new CliError(2, 'Usage: wardroom users --tenant T');
      const path = `/v1/admin/tenants/${encodeURIComponent(tenant)}/users`;
      const { items = [] } = await client.get(path, { limit });
      print(items, (rows) =>
        table(rows, { user: 'id', email: 'email', name: 'name', role: 'role', state: 'state' }),
      );
    },
  },
  ...INVITE_COMMANDS,
  ...LIVE_COMMANDS,
  ...TOKEN_COMMANDS,
  ...KEY_COMMANDS,
  ...CONFIG_COMMANDS,
  ...AUDIT_COMMANDS,
  ...DOCTOR_COMMANDS,
  ...BACKUP_COMMANDS,
  ...REVIEW_COMMANDS,
};

const LIMIT = 50;
const PAGE = 200;

/** A page may be short and not the last one. */
async function sessions(client, { limit = String(LIMIT), ...filters }) {
  const wanted = Number(limit);
  const names = ['state', 'q', 'tenant', 'user', 'device', 'ip', 'before', 'after'];
  const query = Object.fromEntries(names.map((name) => [name, filters[name]]));
  const found = [];
  for (let cursor; ;) {
    // The server refuses a limit that is no number.
    const size = Number.isInteger(wanted) ? Math.min(wanted - found.length, PAGE) : limit;
    const page = await client.get('/v1/admin/sessions', { ...query, limit: size, cursor });
    found.push(...(page.items ?? []));
    cursor = page.next_cursor ?? undefined;
    if (cursor === undefined || found.length >= wanted) return found;
  }
}

const sessionRow = ({ user, user_id: id, guest, ...rest }) => ({
  ...rest,
  person: user?.email ?? (guest ? `guest ${id}` : id),
});

const closeText = ([{ sentence, ...row }]) => facts(sentence, row);
const decisionText = ([row]) =>
  facts(`${row.action} was refused by the rule ${row.rule} (${row.code}).`, row);
