/**
 * The content of the promoted server, and the words of the nodes about it: the other half of what
 * failover-judge.ts compares.
 */
import { eventually } from '../support/eventually.js';
import type { FaultCluster, FaultNode } from './cluster.js';
import type { Answers, Range, Truth } from './failover-judge.js';
import { ask } from './failover-load.js';
import type { FailoverLoad } from './failover-load.js';
import { withPostgres } from '../support/sql.js';

/** How often each node found its history replaced. */
export const noticedCounts = (nodes: readonly FaultNode[]): Promise<number[]> =>
  Promise.all(nodes.map(noticedCount));

async function noticedCount({ internalUrl }: FaultNode): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return [...text.matchAll(/^wardroom_authority_history_replaced_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** The losses that the log of a node names. */
export const loggedIn = (node: FaultNode): Range[] =>
  linesOf(node)
    .filter(({ msg }) => msg === 'acknowledged room events are lost')
    .map(({ room, from, to }) => ({ room, from, to }));

/** How often the log of a node says that its history was replaced. */
export const saidIn = (node: FaultNode): number =>
  linesOf(node).filter(({ msg }) => String(msg).startsWith('authority_history_replaced')).length;

const linesOf = (node: FaultNode): any[] =>
  node.process
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

export async function auditedIn(databaseUrl: string, rooms: readonly string[]): Promise<Range[]> {
  const { rows } = await withPostgres(databaseUrl, (client) =>
    client.query<{ detail: Range }>(
      `SELECT detail FROM audit_events WHERE event = 'room_events_lost' AND detail ->> 'room' = ANY($1)`,
      [rooms],
    ),
  );
  return rows.map(({ detail: { room, from, to } }) => ({ room, from, to }));
}

/** When the load is finished. The audit is written behind the log line. */
export async function truthOf(
  cluster: FaultCluster,
  { rooms }: FailoverLoad,
  about: Pick<Truth, 'killedMs' | 'switchedMs' | 'replaced'>,
): Promise<Truth> {
  const url = cluster.databaseUrl();
  const logged = cluster.nodes.flatMap(loggedIn).filter(({ room }) => rooms.includes(room));
  let audited: Range[] = [];
  await eventually(
    'the audit names as much as the log',
    async () => (audited = await auditedIn(url, rooms)).length >= logged.length,
    5_000,
  );
  const { events, alive } = await withPostgres(url, async (client) => ({
    events: await client.query<{ room_id: string; seq: string; message_id: string; op_id: string }>(
      `SELECT room_id, seq, message_id, op_id FROM room_events WHERE room_id = ANY($1) ORDER BY room_id, seq`,
      [rooms],
    ),
    alive: await client.query<{ id: string }>('SELECT id FROM sessions WHERE ended_at IS NULL'),
  }));
  const stored = new Map(
    rooms.map((room): [string, { seq: number; message: string; op: string }[]] => [room, []]),
  );
  for (const row of events.rows)
    stored.get(row.room_id)!.push({ seq: Number(row.seq), message: row.message_id, op: row.op_id });
  return { ...about, stored, alive: new Set(alive.rows.map(({ id }) => id)), audited, logged };
}

/**
 * `auth_unavailable` is neither yes nor no: then it is asked again. 401, or 429 `auth_loop` for
 * what was refused often, is no.
 */
async function isTaken(node: FaultNode, token: string): Promise<boolean> {
  let status = 0;
  await eventually(
    `${node.name} says yes or no to a token`,
    async () => ![0, 503].includes((status = (await ask(node, '/v1/me', { token })).status)),
  );
  return status === 200;
}

/** With one last question for every session on every node. */
export async function answersOf(cluster: FaultCluster, load: FailoverLoad): Promise<Answers> {
  const { acks, accepted } = load;
  const visits = await Promise.all(
    load.visits.map(async ({ session, token, sockets, out }) => ({
      session,
      out:
        out === null
          ? null
          : {
              late: sockets.flatMap(({ frames }, i) =>
                frames.slice(out.heard[i]).filter(({ type }) => type === 'message'),
              ).length,
            },
      closed: sockets.map(({ isClosed }) => isClosed),
      accepted: await Promise.all(cluster.nodes.map(async (node) => isTaken(node, token))),
    })),
  );
  const listeners = load.listeners.map(({ room, node, epoch, client }) => ({
    room,
    node,
    epoch,
    frames: client.frames,
    closed: client.isClosed,
  }));
  return { acks, accepted, visits, listeners };
}
