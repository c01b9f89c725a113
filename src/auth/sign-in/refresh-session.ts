/**
 * Rotation of refresh tokens (contract section 3). Judged under the lock of the session row, so
 * that of fifty refreshes with one token the first makes the successor and the others are given the
 * same. Tenant and user are locked FOR SHARE before it, in the same statement: a suspension falls
 * wholly before or wholly after.
 */
import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { AuditTrail } from '../../audit/audit-trail.js';
import { recordAudit } from '../../audit/record-audit.js';
import type { AuditDetail, AuditEventName } from '../../audit/audit-events.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Change } from '../../authority/authority-log.js';
import { AuthorityState } from '../../authority/authority-state.js';
import type { EndReason } from '../../authority/events.js';
import { CALL_BUDGETS } from '../../budgets/budgets.js';
import { PrincipalRates } from '../../budgets/principal-rates.js';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { RefusedPrincipal } from '../../platform/errors.js';
import { Prisma } from '../../platform/generated/client.js';
import { Metrics } from '../../platform/metrics.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';
import { flushIntervalMs } from '../../sessions/idle.js';
import { SessionActivity } from '../../sessions/session-activity.js';
import { AccessTokens } from '../tokens/access-token.js';
import { CredentialLoopBreaker } from '../limits/credential-loop-breaker.js';
import { CountFailure } from '../limits/count-failure.js';
import { SessionLoops } from '../limits/session-loops.js';
import { auditRefusal } from '../limits/audit-refusal.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import {
  isOurRefreshToken,
  mintRefreshToken,
  parseRefreshToken,
  sameHash,
  sealSuccessor,
  unsealSuccessor,
} from '../tokens/refresh-token.js';
import type { RefreshToken } from '../tokens/refresh-token.js';

interface Owner {
  id: string;
  tenantId: string;
  userId: string;
  guest: boolean;
  refreshFamily: Uint8Array;
  /** A node saw it alive within its idle time, whatever Postgres says. */
  markedLive: boolean;
}

interface OwnerRow {
  tenant_id: string;
  user_id: string;
  guest: boolean;
  refresh_family: Buffer;
  looks_idle: boolean;
}

/** The part of a session that never changes, so it is read before the locks. */
const OWNER = `
  SELECT tenant_id, user_id, guest, refresh_family,
    idle_seconds > 0 AND last_active_at < clock_timestamp() - make_interval(secs => idle_seconds) AS looks_idle
  FROM sessions WHERE id = $1`;

interface Row {
  tenant_state: string;
  access_ttl_seconds: number | null;
  allow_guests: boolean;
  /** Null: a guest, who has no user row. */
  user_state: string | null;
  user_version: number;
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

/** Tenant, user and session are locked in this order. */
const WITH_USER = {
  columns: Prisma.sql`u.state AS user_state, u.version AS user_version`,
  tables: Prisma.sql`tenants t, users u, sessions s`,
  condition: Prisma.sql`t.id = s.tenant_id AND u.id = s.user_id`,
  locks: Prisma.sql`FOR SHARE OF t, u FOR NO KEY UPDATE OF s`,
};
const OF_GUEST = {
  columns: Prisma.sql`NULL::text AS user_state, 0 AS user_version`,
  tables: Prisma.sql`tenants t, sessions s`,
  condition: Prisma.sql`t.id = s.tenant_id`,
  locks: Prisma.sql`FOR SHARE OF t FOR NO KEY UPDATE OF s`,
};

type Judged =
  | {
      successor: RefreshToken;
      outcome: 'rotated' | 'repeated';
      expiresAtMs: number;
      ttlSeconds: number | null;
    }
  | { refused: EndReason };

/** Refused before there was a session to judge. */
const NOT_JUDGED: ReadonlySet<ErrorCode> = new Set(['auth_invalid', 'csrf_failed']);

@Injectable()
export class RefreshSession {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly authority: AuthorityState,
    private readonly accessTokens: AccessTokens,
    private readonly activity: SessionActivity,
    private readonly metrics: Metrics,
    private readonly loops: CredentialLoopBreaker,
    private readonly audit: AuditTrail,
    private readonly rates: PrincipalRates,
    private readonly repeated: SessionLoops,
    private readonly failures: CountFailure,
  ) {}

  /**
   * `proof` throws when the token came in a cookie and the call does not come from one of our
   * pages.
   */
  async refresh(text: string, proof: () => void = () => undefined): Promise<IssuedTokens> {
    try {
      proof();
      return await this.loops.guardRequest(text, () => this.rotate(text));
    } catch (error) {
      this.metrics.refreshes.inc({
        outcome: error instanceof DomainError ? error.code : 'internal',
      });
      this.failures.of(error);
      // Refusals of a session that exists were noted where they were judged.
      if (error instanceof DomainError && NOT_JUDGED.has(error.code))
        auditRefusal(this.audit, error, { detail: { kind: 'refresh' } });
      throw error;
    }
  }

  private async rotate(text: string): Promise<IssuedTokens> {
    const presented = parseRefreshToken(text);
    if (presented === null)
      throw new DomainError('auth_invalid', { detail: 'not the shape of a refresh token' });
    const owner = await this.findOwner(presented);
    // A client may renew as often as it likes; each time is a row.
    this.rates.spend(
      this.rates.of(owner.userId),
      'call',
      CALL_BUDGETS['post /v1/auth/refresh']!.cost,
    );
    // A refusal that ends the session must commit, so it is a result and not yet an error.
    const { result } = await this.log.commit((tx) => this.decide(tx, owner, presented));
    if ('refused' in result) throw new DomainError(result.refused, { who: principalOf(owner) });
    const principal = principalOf(owner);
    const access = this.accessTokens.mint(principal, {
      generation: result.successor.generation,
      sessionExpiresAtMs: result.expiresAtMs,
      ttlSeconds: result.ttlSeconds,
    });
    this.activity.touch(owner.id);
    this.metrics.refreshes.inc({ outcome: result.outcome });
    this.repeated.note('refresh', principal, result.outcome);
    return {
      principal,
      access,
      refreshToken: result.successor.text,
      sessionExpiresAtMs: result.expiresAtMs,
    };
  }

  /** Only who holds a token we minted learns anything about the session. */
  private async findOwner(presented: RefreshToken): Promise<Owner> {
    const [row] = await this.database.hot<OwnerRow>('refresh_owner', OWNER, [presented.session]);
    if (row === undefined) throw new DomainError('auth_invalid', { detail: 'no such session' });
    if (!isOurRefreshToken(presented, row.refresh_family))
      throw new DomainError('auth_invalid', { detail: 'not minted here' });
    const { session: id } = presented;
    const markedLive = row.looks_idle && (await this.activity.liveMarks([id])).has(id);
    return {
      id,
      tenantId: row.tenant_id,
      userId: row.user_id,
      guest: row.guest,
      refreshFamily: row.refresh_family,
      markedLive,
    };
  }

  private async decide(tx: Tx, owner: Owner, presented: RefreshToken): Promise<Change<Judged>> {
    const row = await this.lock(tx, owner);
    if (row === undefined) throw new DomainError('auth_invalid', { detail: 'the session is gone' });
    // Postgres may have come back without the end, and no round has noticed yet.
    const ended = row.end_reason ?? this.authority.endOf(owner.id);
    if (ended !== null) return refuse(tx, owner, ended);
    const death = whyOwnerMayNot(owner, row);
    if (death !== null) return this.end(tx, owner, death);
    if (row.over || (row.idle && !owner.markedLive)) return this.end(tx, owner, 'session_expired');
    if (sameHash(row.refresh_hash, presented.hash)) return this.replace(tx, owner, presented, row);
    const successor =
      precedes(row, presented) && (!row.refresh_used || row.within_overlap)
        ? unsealSuccessor(presented, row.refresh_sealed!)
        : null;
    if (successor === null) {
      note(tx, owner, 'authn_token_reuse', { kind: 'refresh', generation: presented.generation });
      return this.end(tx, owner, 'token_reuse');
    }
    note(tx, owner, 'authn_token_created', {
      kind: 'access',
      generation: successor.generation,
      rotated: false,
    });
    return {
      result: {
        successor,
        outcome: 'repeated',
        expiresAtMs: row.expires_at.getTime(),
        ttlSeconds: row.access_ttl_seconds,
      },
      events: [],
      tenant: owner.tenantId,
    };
  }

  private async lock(tx: Tx, owner: Owner): Promise<Row | undefined> {
    const slackSeconds = flushIntervalMs(this.config) / 1000;
    const { columns, tables, condition, locks } = owner.guest ? OF_GUEST : WITH_USER;
    const rows = await tx.$queryRaw<Row[]>`
      SELECT t.state AS tenant_state, t.allow_guests, t.access_ttl_seconds, ${columns}, s.end_reason, s.expires_at, s.expires_at <= clock_timestamp() AS over,
        s.idle_seconds > 0 AND s.last_active_at < clock_timestamp() - make_interval(secs => s.idle_seconds + ${slackSeconds}::float8) AS idle,
        s.refresh_hash, s.refresh_previous_hash, s.refresh_sealed, s.refresh_generation, s.refresh_used,
        s.refresh_rotated_at > clock_timestamp() - make_interval(secs => ${this.config.refreshOverlapSeconds}::integer) AS within_overlap
      FROM ${tables} WHERE s.id = ${owner.id}::uuid AND ${condition} ${locks}`;
    return rows[0];
  }

  /**
   * The sealed successor is overwritten here. If the client uses only its access token,
   * session-activity.ts erases it.
   */
  private async replace(
    tx: Tx,
    owner: Owner,
    presented: RefreshToken,
    row: Row,
  ): Promise<Change<Judged>> {
    const successor = mintRefreshToken(owner.refreshFamily, owner.id, row.refresh_generation + 1);
    await tx.$executeRaw`
      UPDATE sessions SET refresh_hash = ${successor.hash}, refresh_previous_hash = ${presented.hash}, refresh_sealed = ${sealSuccessor(presented, successor)},
        refresh_generation = ${successor.generation}::integer, refresh_used = false, refresh_rotated_at = clock_timestamp(),
        last_active_at = clock_timestamp(), user_version = ${row.user_version}::integer
      WHERE id = ${owner.id}::uuid`;
    note(tx, owner, 'authn_token_created', {
      kind: 'access',
      generation: successor.generation,
      rotated: true,
    });
    return {
      result: {
        successor,
        outcome: 'rotated',
        expiresAtMs: row.expires_at.getTime(),
        ttlSeconds: row.access_ttl_seconds,
      },
      events: [],
      tenant: owner.tenantId,
    };
  }

  private async end(tx: Tx, owner: Owner, reason: EndReason): Promise<Change<Judged>> {
    const ids = await endSessions(tx, { session: owner.id }, reason);
    this.metrics.sessionsEnded.inc({ reason }, ids.length);
    return {
      result: { refused: reason },
      events: sessionsEnded(ids, reason),
      tenant: owner.tenantId,
    };
  }
}

function whyOwnerMayNot(
  { guest }: Owner,
  { tenant_state, allow_guests, user_state }: Row,
): EndReason | null {
  if (tenant_state !== 'active') return 'tenant_disabled';
  if (guest) return allow_guests ? null : 'session_revoked';
  return user_state === 'active' ? null : 'user_suspended';
}

function refuse(tx: Tx, owner: Owner, reason: EndReason): Change<Judged> {
  note(tx, owner, 'session_use_after_expire', { kind: 'refresh', code: reason });
  return { result: { refused: reason }, events: [], tenant: owner.tenantId };
}

const principalOf = ({ tenantId, userId, id }: Owner): RefusedPrincipal => ({
  tenantId,
  userId,
  sessionId: id,
});

/** The holder of the token counts as its owner; there is no other name for them. */
function note(
  tx: Tx,
  { tenantId: tenant, userId: user, id: session }: Owner,
  event: AuditEventName,
  detail: AuditDetail,
): void {
  recordAudit(tx, { event, tenant, actor: user, user, session, detail });
}

function precedes(row: Row, presented: RefreshToken): boolean {
  return (
    row.refresh_previous_hash !== null &&
    row.refresh_sealed !== null &&
    sameHash(row.refresh_previous_hash, presented.hash)
  );
}
