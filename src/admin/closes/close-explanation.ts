/**
 * Why a connection closed: its row of `connection_ends`, with what Postgres knows of the session. A
 * look at it is recorded in the audit.
 */
import { Injectable } from '@nestjs/common';
import { sessionHash } from '../../audit/audit-hash.js';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import type { CloseCode } from '@wardroom/protocol/codes';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization, found } from '../admin-authorization.js';
import { closeSentence } from './close-sentence.js';
import type { Close } from './close.schema.js';

/** `goodbye`, log and audit show the last twelve digits; a connection id is taken, too. */
const CLOSE_ID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)?([0-9a-f]{12})$/;

interface Who {
  reason: string | null;
  ended_by: string | null;
  receipt: string | null;
}

interface Row extends Who {
  connection_id: string;
  close_id: string;
  node: string;
  tenant_id: string | null;
  user_id: string | null;
  session_id: string | null;
  ip: string;
  side: Close['side'];
  code: string;
  opened_at: Date;
  token_expires_at: Date | null;
  at: Date;
  session_ended_at: Date | null;
  end_reason: string | null;
  /** The operator who closed the connection itself. */
  closed_by: string | null;
}

/** $1: close id, $2: connection id or null. Of two with one close id the later one. */
const FIND = `
  SELECT c.connection_id, c.close_id, c.node, c.tenant_id, c.user_id, c.session_id, c.ip, c.side, c.code, c.opened_at,
    c.token_expires_at, c.at,
    jsonb_path_query_first(c.timeline, '$.events[*] ? (@.event == "closed_by").by') #>> '{}' AS closed_by, s.ended_at AS session_ended_at, s.end_reason
  FROM connection_ends c LEFT JOIN sessions s ON s.id = c.session_id
  WHERE c.close_id = $1 AND ($2::uuid IS NULL OR c.connection_id = $2) ORDER BY c.at DESC LIMIT 1`;

/** $1: session, $2: its hash in the audit, $3: its user. */
const WHO = `
  SELECT a.reason, a.actor_id AS ended_by,
    (SELECT r.id FROM authority_events e JOIN receipts r ON e.n BETWEEN r.first_n AND r.n
      WHERE e.kind = 'session.ended' AND e.payload::jsonb -> 'sessions' ? $1 ORDER BY e.n DESC LIMIT 1) AS receipt
  FROM (SELECT 1) one LEFT JOIN LATERAL (
    SELECT actor_id, detail ->> 'reason' AS reason FROM audit_events
    WHERE user_id = $3::uuid AND session_hash = $2 AND event = 'session_expired' ORDER BY id DESC LIMIT 1) a ON true`;

@Injectable()
export class CloseExplanation {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
  ) {}

  /** `id`: a close id or a connection id. */
  async of(principal: Principal, id: string): Promise<Close> {
    const closeId = CLOSE_ID.exec(id)?.[1];
    const row = closeId === undefined ? undefined : await this.find(closeId, id);
    await this.admin.require(principal, 'read_close', { tenantId: row?.tenant_id ?? null });
    const { session_id: session, user_id: user, ...end } = found(row, 'close');
    this.admin.recordLook('close', { id: end.close_id, tenant: end.tenant_id, user });
    const who = session === null ? NOBODY : await this.who(session, user);
    // A session that ended with many others has no audit record of its own.
    const reason = who.reason ?? end.end_reason;
    return viewOf({ ...end, session_id: session, user_id: user, ...who, reason });
  }

  private async find(closeId: string, id: string): Promise<Omit<Row, keyof Who> | undefined> {
    const connection = id === closeId ? null : id;
    return (await this.database.pool.query<Row>(FIND, [closeId, connection])).rows[0];
  }

  private async who(session: string, user: string | null): Promise<Who> {
    const values = [session, sessionHash(session), user];
    return (await this.database.pool.query<Who>(WHO, values)).rows[0] ?? NOBODY;
  }
}

const NOBODY: Who = { reason: null, ended_by: null, receipt: null };

function viewOf(row: Row): Close {
  const known = row.side === 'server' ? CLOSE_CODES[row.code as CloseCode] : undefined;
  return {
    close_id: row.close_id,
    connection_id: row.connection_id,
    session_id: row.session_id,
    user_id: row.user_id,
    tenant_id: row.tenant_id,
    node: row.node,
    ip: row.ip,
    side: row.side,
    code: row.code,
    status: known?.status ?? (row.side === 'client' ? Number(row.code) : null),
    action: known?.action ?? null,
    at: rfc3339(row.at),
    opened_at: rfc3339(row.opened_at),
    token_expires_at: textOf(row.token_expires_at),
    session_ended_at: textOf(row.session_ended_at),
    reason: row.reason,
    ended_by: row.closed_by ?? row.ended_by,
    receipt: row.receipt,
    told:
      known === undefined ? null : { code: row.code, action: known.action, close_id: row.close_id },
    sentence: closeSentence({
      side: row.side,
      code: row.code,
      reason: row.reason,
      endedBy: row.ended_by === null ? null : row.ended_by === row.user_id ? 'self' : 'another',
    }),
  };
}

const textOf = (date: Date | null): string | null => (date === null ? null : rfc3339(date));
