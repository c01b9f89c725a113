/**
 * The statement of a page of sessions, newest first. It reads *lanes*: pieces of one index each,
 * in the order of ids, one for each state and user that are asked for. Filters that the index does
 * not answer are compared with what the lanes hold, and a lane is read to a bound. So a page costs
 * the same over any number of rows, whatever its filters are: below the *edge*, where the first
 * lane was cut, nothing is answered, and the next page begins there.
 */
import type { Session } from '../../platform/generated/client.js';

/** Rows of all lanes of one page together. */
export const SCAN_MAX = 2_000;
/** Rows at the bounds of a time that are read and left out; more make a page short. */
const TIME_SLACK = 200;
/** Ids are dated by the clock of a node, rows by that of Postgres. */
const CLOCKS_MS = 60_000;
const NIL = '00000000-0000-0000-0000-000000000000';

export interface SessionFilter {
  readonly state: 'live' | 'ended' | 'all';
  /** Only this session. */
  readonly session?: string | undefined;
  /** Sessions of these users. */
  readonly users?: readonly string[] | undefined;
  /** Beginning of the address (in its one form) or name, where too many users have it. */
  readonly person?: PersonPrefix | undefined;
  readonly tenant?: string | undefined;
  readonly device?: string | undefined;
  readonly ip?: string | undefined;
  readonly before?: Date | undefined;
  readonly after?: Date | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** As patterns of LIKE. */
export interface PersonPrefix {
  readonly email: string;
  readonly name: string;
}

type Columns =
  | 'id'
  | 'guest'
  | 'device'
  | 'transport'
  | 'ip'
  | 'tenantId'
  | 'userId'
  | 'userAgent'
  | 'createdAt'
  | 'lastActiveAt'
  | 'idleSeconds'
  | 'expiresAt'
  | 'endedAt'
  | 'endReason'
  | 'endDetail'
  | 'endedBy'
  | 'endReceipt';
export type SessionRow = Pick<Session, Columns> & { overdue: boolean };

/** The columns that comparisons and answer need. */
const READ = `s.id, s.guest, s.device, s.transport, s.ip, s.tenant_id, s.user_id, s.user_agent, s.created_at, s.last_active_at,
  s.idle_seconds, s.expires_at, s.ended_at, s.end_reason, s.end_detail, s.ended_by, s.end_receipt`;
const COLUMNS = `s.id, s.guest, s.device, s.transport, s.ip, s.tenant_id AS "tenantId", s.user_id AS "userId",
  s.user_agent AS "userAgent", s.created_at AS "createdAt", s.last_active_at AS "lastActiveAt", s.idle_seconds AS "idleSeconds",
  s.expires_at AS "expiresAt", s.ended_at AS "endedAt", s.end_reason AS "endReason", s.end_detail AS "endDetail",
  s.ended_by AS "endedBy", s.end_receipt AS "endReceipt", s.expires_at <= clock_timestamp() AS overdue`;

export interface LaneStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export function laneStatement(filter: SessionFilter, scanMax = SCAN_MAX): LaneStatement {
  const values: unknown[] = [];
  const value = (of: unknown): string => `$${values.push(of)}`;
  const { users, state, limit } = filter;
  const states = state === 'all' ? (['live', 'ended'] as const) : [state];
  const equal = equalities(filter, value);
  // The index of a lane of a user has no room for another.
  const index = users === undefined ? equal[0] : { column: 'user_id', is: 'o.user_id' };
  const others = users === undefined ? equal.slice(1) : equal;
  const times = timeBounds(filter, value);
  const rest = [
    ...others.map(({ column, is }) => `s.${column} = ${is}`),
    ...personMatch(filter, value),
    ...times,
  ];
  // A person is looked up for each row.
  const rows = filter.person === undefined ? scanMax : scanMax / 2;
  const scan = Math.ceil(rows / (states.length * Math.max(users?.length ?? 1, 1)));
  const few = limit + 1 + (times.length > 0 ? TIME_SLACK : 0);
  const depth = value(rest.length === times.length ? Math.min(few, scan) : scan);
  const [below, from] = [`${value(highestId(filter))}::uuid`, `${value(lowestId(filter))}::uuid`];
  const people = users === undefined ? null : value(users);
  const lanes = states.map((one) => {
    const isOf = one === 'live' ? 's.ended_at IS NULL' : 's.ended_at IS NOT NULL';
    const lane = laneOf(isOf, index, { below, from, depth });
    return people === null
      ? `(${lane})`
      : `(SELECT l.* FROM unnest(${people}::uuid[]) AS o (user_id) CROSS JOIN LATERAL (${lane}) l)`;
  });
  const matches = [
    ...rest,
    ...(state === 'live' ? ['s.expires_at > clock_timestamp()'] : []),
    `s.id >= coalesce(edge.id, '${NIL}')`,
  ];
  return {
    values,
    text: `WITH scanned AS MATERIALIZED (${lanes.join(' UNION ALL ')}),
      edge AS MATERIALIZED (SELECT id FROM scanned WHERE place = ${depth} ORDER BY id DESC LIMIT 1)
      SELECT edge.id AS edge, page.* FROM (SELECT 1) one LEFT JOIN edge ON true LEFT JOIN LATERAL (
        SELECT ${COLUMNS} FROM scanned s WHERE ${matches.join(' AND ')}
        ORDER BY s.id DESC LIMIT ${value(limit + 1)}) page ON true ORDER BY page.id DESC`,
  };
}

/**
 * The equality is compared as a pair with the id: as an equality it would let the planner walk
 * another index in the order of ids and skip what is not equal, which may be nearly all.
 */
function laneOf(
  isOf: string,
  index: Equality | undefined,
  { below, from, depth }: { below: string; from: string; depth: string },
): string {
  const [column, is] = index === undefined ? ['', ''] : [`s.${index.column}, `, `${index.is}, `];
  const known = index === undefined ? '' : `AND s.${index.column} IS NOT NULL`;
  const order = `${column.replace(',', ' DESC,')}s.id DESC`;
  return `SELECT ${READ}, row_number() OVER (ORDER BY ${order}) AS place FROM sessions s
    WHERE ${isOf} ${known} AND (${column}s.id) < (${is}${below}) AND (${column}s.id) >= (${is}${from})
    ORDER BY ${order} LIMIT ${depth}`;
}

interface Equality {
  readonly column: string;
  readonly is: string;
}

/** One that an index answers, first that which leaves least. Of users there are lanes. */
function equalities(
  { session, ip, device, tenant }: SessionFilter,
  value: (of: unknown) => string,
): Equality[] {
  const parts: Equality[] = [];
  if (session !== undefined) parts.push({ column: 'id', is: `${value(session)}::uuid` });
  if (ip !== undefined) parts.push({ column: 'ip', is: `${value(ip)}::text` });
  if (device !== undefined) parts.push({ column: 'device', is: `${value(device)}::text` });
  if (tenant !== undefined) parts.push({ column: 'tenant_id', is: `${value(tenant)}::uuid` });
  return parts;
}

function timeBounds({ before, after }: SessionFilter, value: (of: unknown) => string): string[] {
  const parts: string[] = [];
  if (before !== undefined)
    parts.push(`s.created_at < ${value(before.toISOString())}::timestamptz`);
  if (after !== undefined) parts.push(`s.created_at >= ${value(after.toISOString())}::timestamptz`);
  return parts;
}

const personMatch = ({ person }: SessionFilter, value: (of: unknown) => string): string[] =>
  person === undefined
    ? []
    : [
        `EXISTS (SELECT FROM users u WHERE u.id = s.user_id
          AND (u.email LIKE ${value(person.email)} OR lower(u.name) LIKE lower(${value(person.name)})))`,
      ];

/** Ids of version 7 begin with their time. */
function highestId({ before, cursor }: SessionFilter): string {
  const bound = before === undefined ? null : idFrom(before.getTime() + CLOCKS_MS);
  const ids = [cursor, bound ?? undefined].filter((id) => id !== undefined);
  return ids.sort()[0] ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff';
}

const lowestId = ({ after }: SessionFilter): string =>
  after === undefined ? NIL : idFrom(after.getTime() - CLOCKS_MS);

const MS_MAX = 2 ** 48 - 1;
function idFrom(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), MS_MAX).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
