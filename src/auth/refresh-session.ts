/**
 * Rotation of refresh tokens (contract section 3). Judged under the lock of the session row, so that of fifty refreshes
 * with one token the first makes the successor and the others are given the same. Tenant and user are read again FOR
 * SHARE first: a suspension falls wholly before or wholly after.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { noteAudit } from '../audit/note-audit.js';
import type { AuditDetail, AuditEventName } from '../audit/audit-events.js';
import { AuthorityLog } from '../authority/authority-log.js';
import type { Change } from '../authority/authority-log.js';
import type { EndReason } from '../authority/events.js';
import { Config } from '../platform/config.js';
import { Database } from '../platform/database.js';
import type { Tx } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import { endSessions, sessionsEnded } from '../sessions/end-sessions.js';
import { flushIntervalMs } from '../sessions/idle.js';
import { SessionActivity } from '../sessions/session-activity.js';
import { AccessTokens } from './access-token.js';
import { AuthLoops } from './auth-loops.js';
import { noteRefusal } from './note-refusal.js';
import type { IssuedTokens } from './open-session.js';
import { isOurRefreshToken, mintRefreshToken, parseRefreshToken, sameHash, sealSuccessor, unsealSuccessor } from './refresh-token.js';
import type { RefreshToken } from './refresh-token.js';

interface Owner {
  id: string;
  tenantId: string;
  userId: string;
  guest: boolean;
  refreshFamily: Uint8Array;
  /** A node saw it alive within its idle time, whatever Postgres says. */
  markedLive: boolean;
}

interface Row {
  end_reason: EndReason | null;
  expires_at: Date;
  over: boolean;
  idle: boolean;
  refresh_hash: Uint8Array;
  refresh_previous_hash: Uint8Array | null;
  refresh_sealed: Uint8Array | null;
  refresh_generation: number;
  refresh_used: boolean;
  within_overlap: boolean;
}

type Judged = { successor: RefreshToken; outcome: 'rotated' | 'repeated'; expiresAtMs: number } | { refused: EndReason };

@Injectable()
export class RefreshSession {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly accessTokens: AccessTokens,
    private readonly activity: SessionActivity,
    private readonly metrics: Metrics,
    private readonly loops: AuthLoops,
    private readonly audit: AuditTrail,
  ) {}

  async refresh(text: string): Promise<IssuedTokens> {
    try {
      return await this.loops.guardRequest(text, () => this.rotate(text));
    } catch (error) {
      this.metrics.refreshes.inc({ outcome: error instanceof DomainError ? error.code : 'internal' });
      // Refusals of a session that exists were noted where they were judged.
      if (error instanceof DomainError && error.code === 'auth_invalid') noteRefusal(this.audit, error, { detail: { kind: 'refresh' } });
      throw error;
    }
  }

  private async rotate(text: string): Promise<IssuedTokens> {
    const presented = parseRefreshToken(text);
    if (presented === null) throw new DomainError('auth_invalid', { detail: 'not the shape of a refresh token' });
    const owner = await this.findOwner(presented);
    // A refusal that ends the session must commit, so it is a result and not yet an error.
    const { result } = await this.log.commit((tx) => this.judge(tx, owner, presented));
    if ('refused' in result) throw new DomainError(result.refused);
    const principal = { tenantId: owner.tenantId, userId: owner.userId, sessionId: owner.id };
    const access = this.accessTokens.mint(principal, { generation: result.successor.generation, sessionExpiresAtMs: result.expiresAtMs });
    this.activity.touch(owner.id);
    this.metrics.refreshes.inc({ outcome: result.outcome });
    return { principal, access, refreshToken: result.successor.text, sessionExpiresAtMs: result.expiresAtMs };
  }

  /** Only who holds a token we minted learns anything about the session. */
  private async findOwner(presented: RefreshToken): Promise<Owner> {
    const row = await this.database.prisma.session.findUnique({
      where: { id: presented.session },
      select: { id: true, tenantId: true, userId: true, guest: true, refreshFamily: true, lastActiveAt: true, idleSeconds: true },
    });
    if (row === null) throw new DomainError('auth_invalid', { detail: 'no such session' });
    if (!isOurRefreshToken(presented, row.refreshFamily)) throw new DomainError('auth_invalid', { detail: 'not minted here' });
    const looksIdle = row.idleSeconds > 0 && Date.now() - row.lastActiveAt.getTime() > row.idleSeconds * 1000;
    return { ...row, markedLive: looksIdle && (await this.activity.liveMarks([row.id])).has(row.id) };
  }

  private async judge(tx: Tx, owner: Owner, presented: RefreshToken): Promise<Change<Judged>> {
    const death = await this.whyOwnerMayNot(tx, owner);
    const row = await this.lock(tx, owner);
    if (row === undefined) throw new DomainError('auth_invalid', { detail: 'the session is gone' });
    if (row.end_reason !== null) return refuse(tx, owner, row.end_reason);
    if (death.reason !== null) return this.end(tx, owner, death.reason);
    if (row.over || (row.idle && !owner.markedLive)) return this.end(tx, owner, 'session_expired');
    if (sameHash(row.refresh_hash, presented.hash)) return this.replace(tx, owner, presented, row, death.userVersion);
    const successor = precedes(row, presented) && (!row.refresh_used || row.within_overlap) ? unsealSuccessor(presented, row.refresh_sealed!) : null;
    if (successor === null) {
      note(tx, owner, 'authn_token_reuse', { kind: 'refresh', generation: presented.generation });
      return this.end(tx, owner, 'token_reuse');
    }
    note(tx, owner, 'authn_token_created', { kind: 'access', generation: successor.generation, rotated: false });
    return { result: { successor, outcome: 'repeated', expiresAtMs: row.expires_at.getTime() }, events: [], tenant: owner.tenantId };
  }

  private async whyOwnerMayNot(tx: Tx, owner: Owner): Promise<{ reason: EndReason | null; userVersion: number }> {
    const tenants = await tx.$queryRaw<{ state: string; allow_guests: boolean }[]>`
      SELECT state, allow_guests FROM tenants WHERE id = ${owner.tenantId}::uuid FOR SHARE`;
    if (tenants[0]?.state !== 'active') return { reason: 'tenant_disabled', userVersion: 0 };
    if (owner.guest) return { reason: tenants[0].allow_guests ? null : 'session_revoked', userVersion: 0 };
    const users = await tx.$queryRaw<{ state: string; version: number }[]>`
      SELECT state, version FROM users WHERE id = ${owner.userId}::uuid FOR SHARE`;
    return { reason: users[0]?.state === 'active' ? null : 'user_suspended', userVersion: users[0]?.version ?? 0 };
  }

  private async lock(tx: Tx, owner: Owner): Promise<Row | undefined> {
    const slackSeconds = flushIntervalMs(this.config) / 1000;
    const rows = await tx.$queryRaw<Row[]>`
      SELECT end_reason, expires_at, expires_at <= clock_timestamp() AS over,
        idle_seconds > 0 AND last_active_at < clock_timestamp() - make_interval(secs => idle_seconds + ${slackSeconds}::float8) AS idle,
        refresh_hash, refresh_previous_hash, refresh_sealed, refresh_generation, refresh_used,
        refresh_rotated_at > clock_timestamp() - make_interval(secs => ${this.config.refreshOverlapSeconds}::integer) AS within_overlap
      FROM sessions WHERE id = ${owner.id}::uuid FOR NO KEY UPDATE`;
    return rows[0];
  }

  /** The new box replaces the old one: at the first use of a successor nothing opens it any more. */
  private async replace(tx: Tx, owner: Owner, presented: RefreshToken, row: Row, userVersion: number): Promise<Change<Judged>> {
    const successor = mintRefreshToken(owner.refreshFamily, owner.id, row.refresh_generation + 1);
    await tx.$executeRaw`
      UPDATE sessions SET refresh_hash = ${successor.hash}, refresh_previous_hash = ${presented.hash}, refresh_sealed = ${sealSuccessor(presented, successor)},
        refresh_generation = ${successor.generation}::integer, refresh_used = false, refresh_rotated_at = clock_timestamp(),
        last_active_at = clock_timestamp(), user_version = ${userVersion}::integer
      WHERE id = ${owner.id}::uuid`;
    note(tx, owner, 'authn_token_created', { kind: 'access', generation: successor.generation, rotated: true });
    return { result: { successor, outcome: 'rotated', expiresAtMs: row.expires_at.getTime() }, events: [], tenant: owner.tenantId };
  }

  private async end(tx: Tx, owner: Owner, reason: EndReason): Promise<Change<Judged>> {
    const ids = await endSessions(tx, { session: owner.id }, reason);
    this.metrics.sessionsEnded.inc({ reason }, ids.length);
    return { result: { refused: reason }, events: sessionsEnded(ids, reason), tenant: owner.tenantId };
  }
}

function refuse(tx: Tx, owner: Owner, reason: EndReason): Change<Judged> {
  note(tx, owner, 'session_use_after_expire', { kind: 'refresh', code: reason });
  return { result: { refused: reason }, events: [], tenant: owner.tenantId };
}

/** Whoever holds the token is taken for its owner; there is no other name for him. */
function note(tx: Tx, { tenantId: tenant, userId: user, id: session }: Owner, event: AuditEventName, detail: AuditDetail): void {
  noteAudit(tx, { event, tenant, actor: user, user, session, detail });
}

function precedes(row: Row, presented: RefreshToken): boolean {
  return row.refresh_previous_hash !== null && row.refresh_sealed !== null && sameHash(row.refresh_previous_hash, presented.hash);
}
