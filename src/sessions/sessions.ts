/**
 * Signed-in devices: opening, listing and ending sessions. Ending goes through the authority log,
 * so sockets close too.
 */
import { Injectable } from '@nestjs/common';
import { AuthorityLog } from '../authority/authority-log.js';
import type { Change, Committed } from '../authority/authority-log.js';
import type { EndReason } from '../authority/events.js';
import { rfc3339 } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import type { Session } from '../platform/generated/client.js';
import { isId } from '../platform/ids.js';
import { Metrics } from '../platform/metrics.js';
import { currentRequest } from '../platform/request-context.js';
import { page } from '../platform/zod.js';
import type { PageQuery } from '../platform/zod.js';
import { endSessions, sessionsEnded } from './end-sessions.js';
import type { EndOptions, SessionSelector } from './end-sessions.js';
import { idleSecondsOf } from './idle.js';
import type { Principal } from './principal.js';
import { lockCaller } from './lock-caller.js';
import type { SessionView } from './session.schema.js';

/** When the person proved themselves: just now, at a time that an issuer names, or never. */
export type Authenticated = 'now' | Date | null;

export interface NewSession {
  principal: Principal;
  /**
   * Null: a guest, who has no user row. Otherwise what the password that was verified belonged to.
   */
  passwordVersion: number | null;
  device: string | null;
  transport: 'body' | 'cookie';
  authenticatedAt: Authenticated;
  refreshFamily: Uint8Array<ArrayBuffer>;
  refreshHash: Uint8Array<ArrayBuffer>;
}

type ShownSession = Pick<
  Session,
  | 'id'
  | 'tenantId'
  | 'userId'
  | 'guest'
  | 'device'
  | 'transport'
  | 'createdAt'
  | 'lastActiveAt'
  | 'expiresAt'
>;

export interface SessionPage {
  items: SessionView[];
  next_cursor: string | null;
}

const LOGOUT: EndOptions = { why: 'logout' };

@Injectable()
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly config: Config,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Inserts the row inside the transaction of a login. Tenant and user are read again FOR SHARE: a
   * suspension, a new password or a disabled tenant falls wholly before (and refuses) or wholly
   * after (and ends what is opened here). Of a user who has too many then, those that were idle
   * longest end: `ended` must be logged.
   */
  async open(
    tx: Tx,
    session: NewSession,
  ): Promise<{ expiresAtMs: number; accessTtlSeconds: number | null; ended: string[] }> {
    const { tenantId, userId, sessionId } = session.principal;
    const guest = session.passwordVersion === null;
    const tenants = await tx.$queryRaw<
      { state: string; allow_guests: boolean; access_ttl_seconds: number | null }[]
    >`
      SELECT state, allow_guests, access_ttl_seconds FROM tenants WHERE id = ${tenantId}::uuid FOR SHARE`;
    if (tenants[0] === undefined) throw new DomainError('not_found');
    if (tenants[0].state !== 'active') throw new DomainError('tenant_disabled');
    if (guest && !tenants[0].allow_guests)
      throw new DomainError('not_found', { detail: 'the tenant allows no guests' });
    const userVersion = guest ? 0 : await this.userVersion(tx, session);
    const idleSeconds = idleSecondsOf(this.config, guest);
    const request = currentRequest();
    const { authenticatedAt } = session;
    const named = authenticatedAt === 'now' ? null : authenticatedAt;
    const rows = await tx.$queryRaw<{ expires_at: Date }[]>`
      INSERT INTO sessions (id, tenant_id, user_id, guest, device, transport, user_version, idle_seconds, expires_at, auth_time, refresh_family, refresh_hash, ip, user_agent)
      VALUES (${sessionId}::uuid, ${tenantId}::uuid, ${userId}::uuid, ${guest}, ${session.device}, ${session.transport}, ${userVersion}::integer,
        ${idleSeconds}::integer, clock_timestamp() + make_interval(secs => ${this.config.sessionAbsoluteSeconds}::integer),
        CASE WHEN ${authenticatedAt === 'now'} THEN clock_timestamp() WHEN ${named}::timestamptz IS NOT NULL THEN least(${named}::timestamptz, clock_timestamp()) END,
        ${session.refreshFamily}, ${session.refreshHash}, ${request?.ip}, ${request?.userAgent})
      RETURNING expires_at`;
    const ended = guest ? [] : await this.endTooMany(tx, session.principal);
    return {
      expiresAtMs: rows[0]!.expires_at.getTime(),
      accessTtlSeconds: tenants[0].access_ttl_seconds,
      ended,
    };
  }

  /** Counted under the lock of `userVersion`. */
  private async endTooMany(tx: Tx, { userId, sessionId }: Principal): Promise<string[]> {
    const max = this.config.sessionsPerUserMax;
    if (!Number.isFinite(max)) return [];
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM sessions WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND id <> ${sessionId}::uuid
      ORDER BY last_active_at DESC, id DESC OFFSET ${max - 1}::integer`;
    if (rows.length === 0) return [];
    const ended = await endSessions(tx, { sessions: rows.map(({ id }) => id) }, 'session_revoked', {
      why: 'quota',
    });
    this.metrics.sessionsEnded.inc({ reason: 'session_revoked' }, ended.length);
    return ended;
  }

  /** The caller's own devices, newest first. */
  async listMine(
    { tenantId, userId, sessionId }: Principal,
    { cursor, limit }: PageQuery,
  ): Promise<SessionPage> {
    const rows = await this.database.prisma.session.findMany({
      where: {
        tenantId,
        userId,
        endedAt: null,
        expiresAt: { gt: new Date() },
        ...(cursor === undefined ? {} : { id: { lt: cursor } }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
    return page(
      rows.map((row) => viewOf(row, sessionId)),
      limit,
    );
  }

  /** One of the caller's own; another's, or one that has ended, is `not_found`. */
  endOne(principal: Principal, session: string): Promise<Committed<string[]>> {
    if (!isId(session)) throw new DomainError('not_found');
    return this.commit(async (tx) => {
      await lockCaller(tx, principal, 'change');
      const change = await this.end(
        tx,
        { session, user: principal.userId, tenant: principal.tenantId },
        'session_revoked',
        principal.tenantId,
        LOGOUT,
      );
      if (change.result.length === 0) throw new DomainError('not_found');
      return change;
    });
  }

  endCurrent(principal: Principal): Promise<Committed<string[]>> {
    return this.endOne(principal, principal.sessionId);
  }

  endOthers(principal: Principal): Promise<Committed<string[]>> {
    return this.commit(async (tx) => {
      await lockCaller(tx, principal, 'change');
      return this.end(
        tx,
        { user: principal.userId, except: principal.sessionId, tenant: principal.tenantId },
        'session_revoked',
        principal.tenantId,
        LOGOUT,
      );
    });
  }

  endAll(principal: Principal): Promise<Committed<string[]>> {
    return this.commit(async (tx) => {
      await lockCaller(tx, principal, 'change');
      return this.end(
        tx,
        { user: principal.userId, tenant: principal.tenantId },
        'session_revoked',
        principal.tenantId,
        LOGOUT,
      );
    });
  }

  /**
   * The change for an `AuthorityLog.commit`: logged even when nothing was alive, so that the answer
   * is a true receipt.
   */
  async end(
    tx: Tx,
    where: SessionSelector,
    reason: EndReason,
    tenant: string,
    options?: EndOptions,
  ): Promise<Change<string[]>> {
    const ids = await endSessions(tx, where, reason, options);
    const events =
      ids.length === 0
        ? [{ kind: 'session.ended' as const, sessions: [], reason }]
        : sessionsEnded(ids, reason);
    return { result: ids, events, tenant };
  }

  private async commit(work: (tx: Tx) => Promise<Change<string[]>>): Promise<Committed<string[]>> {
    const committed = await this.log.commit(work);
    this.metrics.sessionsEnded.inc({ reason: 'session_revoked' }, committed.result.length);
    return committed;
  }

  private async userVersion(tx: Tx, session: NewSession): Promise<number> {
    const { tenantId, userId } = session.principal;
    // Openings for one user take turns, so that none is overlooked when they are counted. The row
    // is locked first: a takeover holds it when it opens its own session (linked-user.ts), and must
    // not wait for one that waits for it.
    const users = await tx.$queryRaw<
      { state: string; version: number; password_version: number }[]
    >`
      WITH locked AS MATERIALIZED (
        SELECT id, state, version, password_version FROM users WHERE id = ${userId}::uuid AND tenant_id = ${tenantId}::uuid FOR SHARE)
      SELECT state, version, password_version, pg_advisory_xact_lock(hashtextextended(id::text, 0))::text FROM locked`;
    const user = users[0];
    if (user === undefined)
      throw new DomainError('invalid_credentials', { detail: 'the user is gone' });
    if (user.state !== 'active') throw new DomainError('user_suspended');
    if (user.password_version !== session.passwordVersion)
      throw new DomainError('invalid_credentials', {
        detail: 'the password was changed meanwhile',
      });
    return user.version;
  }
}

/** `current`: the session that asks. */
export function viewOf(row: ShownSession, current: string): SessionView {
  return {
    id: row.id,
    tenant_id: row.tenantId,
    user_id: row.userId,
    guest: row.guest,
    device: row.device,
    transport: row.transport === 'cookie' ? 'cookie' : 'body',
    created_at: rfc3339(row.createdAt),
    last_active_at: rfc3339(row.lastActiveAt),
    expires_at: rfc3339(row.expiresAt),
    current: row.id === current,
  };
}
