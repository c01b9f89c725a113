/** One session: its connections on all nodes, those that ended, and what happened, newest first. */
import { signal } from '@preact/signals';
import type { AuditRecordView } from '../../../../src/admin/audit/audit.schema.js';
import type {
  ConnectionDetail,
  ConnectionView,
} from '../../../../src/admin/live/connection.schema.js';
import { cliOf, get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { detailText, plain, spaced, troubleOf } from '../words.js';
import { nameOf } from '../user-of.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import type { Trouble } from '../words.js';
import type { ListedSession } from './sessions.js';

export type { ConnectionView };

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface Happening {
  readonly at: string;
  readonly text: string;
  readonly note: string;
  readonly tone: Tone;
  /** A decision or a close that the page Why explains. */
  readonly why: string | null;
}

export interface EndedConnection {
  readonly id: string;
  readonly at: string;
  readonly side: string;
  readonly code: string;
}

const TIMELINES_MAX = 10;
const AUDIT_LIMIT = 200;

export class SessionDetail {
  readonly session = signal<ListedSession | null>(null);
  /** The name behind `ended_by`. */
  readonly endedBy = signal<string | null>(null);
  readonly connections = signal<readonly ConnectionView[]>([]);
  readonly ended = signal<readonly EndedConnection[]>([]);
  readonly timeline = signal<readonly Happening[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  /** Parts that this role may not read, or that did not answer, in words. */
  readonly gaps = signal<readonly string[]>([]);
  readonly loading = signal(true);

  constructor(
    private readonly caller: Caller,
    readonly id: string,
    private readonly hash: (text: string) => Promise<string | null> = sessionHash,
  ) {}

  async load(): Promise<void> {
    this.loading.value = true;
    this.trouble.value = null;
    try {
      const { items } = await send<{ items: ListedSession[] }>(
        this.caller,
        get('/v1/admin/sessions', { q: this.id, state: 'all' }),
      );
      const session = items.find(({ id }) => id === this.id);
      if (session === undefined) {
        this.trouble.value = troubleOf({ code: 'not_found' });
        return;
      }
      this.session.value = session;
      const gaps: string[] = [];
      const [live, records, endedBy] = await Promise.all([
        this.#live().catch((error: unknown) => {
          gaps.push(`Live connections: ${troubleOf(error).text}`);
          return { items: [], details: [] };
        }),
        this.#records(session).catch((error: unknown) => {
          gaps.push(`Audit: ${troubleOf(error).text}`);
          return [];
        }),
        nameOf(this.caller, session.ended_by),
      ]);
      this.endedBy.value = endedBy;
      this.connections.value = live.items;
      const alive = new Set(live.items.map(({ id }) => id));
      this.ended.value = endedOf(records, alive);
      this.timeline.value = merged(live.details, records);
      this.gaps.value = gaps;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    } finally {
      this.loading.value = false;
    }
  }

  async #live(): Promise<{ items: ConnectionView[]; details: ConnectionDetail[] }> {
    const { items, partial } = await send<{ items: ConnectionView[]; partial: string[] }>(
      this.caller,
      get('/v1/admin/connections', { session: this.id }),
    );
    const details = await Promise.all(
      items
        .slice(0, TIMELINES_MAX)
        .map(({ id }) =>
          send<ConnectionDetail>(this.caller, get(`/v1/admin/connections/${id}`)).catch(() => null),
        ),
    );
    if (partial.length > 0) this.gaps.value = [`${partial.length} nodes did not answer.`];
    return { items, details: details.filter((detail) => detail !== null) };
  }

  /** The audit names a session by a hash of its id only. */
  async #records({ user_id: user, tenant_id: tenant }: ListedSession): Promise<AuditRecordView[]> {
    const [hash, { items }] = await Promise.all([
      this.hash(this.id),
      send<{ items: AuditRecordView[] }>(
        this.caller,
        get('/v1/admin/audit', { user, tenant, limit: AUDIT_LIMIT }),
      ),
    ]);
    return items.filter(({ session_hash }) => session_hash !== null && session_hash === hash);
  }
}

/** Null where the browser has no SHA-256: on plain http that is not this machine. */
export async function sessionHash(id: string): Promise<string | null> {
  const { subtle } = globalThis.crypto;
  if ((subtle as SubtleCrypto | undefined) === undefined) return null;
  const digest = await subtle.digest('SHA-256', new TextEncoder().encode(id));
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, 32);
}

function endedOf(
  records: readonly AuditRecordView[],
  alive: ReadonlySet<string>,
): EndedConnection[] {
  return records
    .filter(
      ({ event, request_id: id }) => event === 'connection_closed' && id !== null && !alive.has(id),
    )
    .map(({ request_id: id, at, detail }) => ({
      id: id!,
      at,
      side: plain(detail['side']),
      code: plain(detail['code']),
    }));
}

/** Connections tell more than the audit about themselves. */
const OF_CONNECTIONS = new Set(['connection_opened', 'connection_renewed']);

function merged(
  details: readonly ConnectionDetail[],
  records: readonly AuditRecordView[],
): Happening[] {
  const told = new Set(details.map(({ id }) => id));
  const decided = new Set(
    details.flatMap(({ timeline }) => timeline.map(({ decision_id: id }) => id)),
  );
  return [
    ...details.flatMap(({ timeline }) => timeline.map(ofConnection)),
    ...records
      .filter(
        ({ event, request_id: id, detail }) =>
          event !== 'data_read' &&
          !(OF_CONNECTIONS.has(event) && id !== null && told.has(id)) &&
          !(event === 'authz_fail' && decided.has(detail['decision'] as string)),
      )
      .map(ofRecord),
  ].sort((a, b) => b.at.localeCompare(a.at));
}

const BAD = new Set(['denied', 'renewal_refused', 'expired', 'closed', 'closed_by']);
const WARN = new Set(['warned', 'grace']);

export function ofConnection(event: ConnectionDetail['timeline'][number]): Happening {
  const { at, event: what, decision_id: decision, exp, ...rest } = event;
  return {
    at,
    text: spaced(what),
    note: [
      ...(exp === undefined ? [] : [`token until ${exp.slice(11, 19)} UTC`]),
      ...Object.entries(rest)
        .filter(([name, value]) => name !== 'count' || value !== 1)
        .map(([name, value]) =>
          name === 'count' ? `${plain(value)} times` : `${spaced(name)} ${brief(value)}`,
        ),
    ].join(' · '),
    tone: BAD.has(what) ? 'bad' : WARN.has(what) ? 'warn' : 'plain',
    why: decision ?? null,
  };
}

const ENDS = /expire|revoked|suspended|fail|reuse|refused|closed/;

export function ofRecord({ at, event, detail, request_id: request }: AuditRecordView): Happening {
  return {
    at,
    text: spaced(event),
    note: detailText({ ...detail, decision: null }).replace(UUIDS, '…$1'),
    tone: ENDS.test(event) ? 'bad' : 'plain',
    why:
      event === 'connection_closed'
        ? request
        : typeof detail['decision'] === 'string'
          ? detail['decision']
          : null,
  };
}

const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}([0-9a-f]{8})/g;

/** With the ends of ids: the whole ones are behind the link. */
const brief = (value: unknown): string => plain(value).replace(UUIDS, '…$1');

/** The session stays: the client comes back with it. */
export function closeConnection({ id, node }: Pick<ConnectionView, 'id' | 'node'>): Deed {
  return {
    title: 'Close a connection',
    effects: [
      'This connection closes with 1001 (draining).',
      'Its session stays, and the client connects again at once.',
    ],
    undo: NOT_UNDONE,
    button: 'Close the connection',
    reason: 'none',
    destructive: true,
    asks: () => [
      {
        method: 'DELETE',
        path: `/v1/admin/connections/${id}`,
        label: `close the connection on node …${node.slice(-4)}`,
      },
    ],
    cli: () => [cliOf(['connections', 'close', id])],
  };
}
