/**
 * The effect of a tenant's switches on its sessions. The caller holds the tenant's row, so none is
 * opened meanwhile.
 */
import { LONGEST_TOKEN_LIFE_MS } from '../../authority/authority-state.js';
import type { AuthorityEvent } from '../../authority/events.js';
import type { Tx } from '../../platform/stores/database.js';
import { endSessions, sessionsEnded } from '../../sessions/end-sessions.js';

/** Beyond this every token of an ended session is dead, with room for clocks. */
const REMEMBERED_SECONDS = (2 * LONGEST_TOKEN_LIFE_MS) / 1000;

/** The event of a disabled tenant is its flag, however many sessions it had. Answers how many. */
export async function endTenant(tx: Tx, tenant: string): Promise<number> {
  return (await endSessions(tx, { tenant }, 'tenant_disabled')).length;
}

/**
 * The flag covered the sessions it ended; when it goes, those whose tokens may be alive have to be
 * named. From now on their code sends people to the login that works again.
 */
export async function restoreTenant(tx: Tx, tenant: string): Promise<AuthorityEvent[]> {
  const rows = await tx.$queryRaw<{ id: string; recent: boolean }[]>`
    WITH ended AS (
      SELECT id FROM sessions WHERE tenant_id = ${tenant}::uuid AND end_reason = 'tenant_disabled' ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE sessions s SET end_reason = 'session_revoked' FROM ended e WHERE s.id = e.id
    RETURNING s.id, s.ended_at > clock_timestamp() - make_interval(secs => ${REMEMBERED_SECONDS}::integer) AS recent`;
  return sessionsEnded(
    rows.filter((row) => row.recent).map((row) => row.id),
    'session_revoked',
  );
}

export async function endGuests(tx: Tx, tenant: string): Promise<AuthorityEvent[]> {
  const guests = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM sessions WHERE tenant_id = ${tenant}::uuid AND guest AND ended_at IS NULL`;
  const ids = await endSessions(
    tx,
    { sessions: guests.map((guest) => guest.id) },
    'session_revoked',
    { why: 'guests_disallowed' },
  );
  return sessionsEnded(ids, 'session_revoked');
}
