/** Nodes, and live connections on all of them. */
import { CliError } from './client.mjs';
import { facts, table } from './text.mjs';

const CONNECTIONS =
  'connections [--user U] [--session S] [--room R] [--node N] [--ip A] [--state S] [--limit N] | connections show ID | connections close ID [--stop]';

export const LIVE_COMMANDS = {
  nodes: {
    usage: 'nodes [--limit N]',
    summary: 'nodes of the last day, as they are now',
    args: 0,
    async run({ client, flags: { limit }, print }) {
      const { items = [] } = await client.get('/v1/admin/nodes', { limit });
      print(items, (rows) =>
        table(rows, {
          node: 'id',
          name: 'name',
          version: 'version',
          state: 'state',
          connections: 'connections',
          rooms: 'rooms',
          position: 'position',
          head: 'head',
          'clock ms': 'clock_offset_ms',
        }),
      );
    },
  },
  connections: {
    usage: CONNECTIONS,
    summary: 'live connections of all nodes; what happened to one; closes one',
    args: [0, 2],
    async run({ client, args: [deed, id], flags, print }) {
      const { stop, ...filters } = flags;
      if (deed === undefined && stop !== true) return list({ client, flags: filters, print });
      const path = `/v1/admin/connections/${encodeURIComponent(id ?? '')}`;
      if (deed === 'show' && stop !== true) return print([await client.get(path)], detailText);
      if (deed !== 'close') throw new CliError(2, `Usage: wardroom ${CONNECTIONS}`);
      const closed = await client.call('DELETE', stop === true ? `${path}?action=stop` : path);
      print([closed], ([row]) =>
        facts(
          stop === true
            ? 'Closed for good.'
            : 'Closed: the client comes back with the session that it has.',
          row,
        ),
      );
    },
  },
};

async function list({ client, flags: { user, session, room, node, ip, state, limit }, print }) {
  const query = { user, session, room, node, ip, state, limit };
  const { items = [], partial = [] } = await client.get('/v1/admin/connections', query);
  print(items, (rows) =>
    table(
      rows.map((row) => ({ ...row, who: row.user?.email ?? row.user?.id })),
      {
        connection: 'id',
        user: 'who',
        node: 'node',
        ip: 'ip',
        since: 'opened_at',
        'token ms': 'token_expires_in_ms',
        rooms: 'rooms',
        'queue bytes': 'queue_bytes',
      },
    ),
  );
  if (partial.length > 0)
    throw new CliError(1, `Not all is listed: no answer from ${partial.join(', ')}`);
}

const detailText = ([{ timeline, user, ...row }]) =>
  `${facts(`A connection of ${user?.email ?? user?.id ?? 'nobody known'}, ${row.state}.`, row)}\n${table(
    timeline.map(({ at, event, ...rest }) => ({
      at,
      event,
      what: Object.values(rest).join(' '),
    })),
    { at: 'at', event: 'event', what: 'what' },
  )}`;
