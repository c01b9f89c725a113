/**
 * The database lost commits (authority/history-replacement.ts): what this node knows to be over is
 * ended again there, in the transaction that says so. After a restore nobody knows what is over:
 * everything is. Lock order: tenants, sessions.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../audit/record-audit.js';
import type { AuthorityEvent, EndReason } from '../authority/events.js';
import { HistoryReplacement } from '../authority/history-replacement.js';
import type { Replaced } from '../authority/history-replacement.js';
import type { Tx } from '../platform/stores/database.js';
import { endSessions, sessionsEnded } from './end-sessions.js';

@Injectable()
export class EndAgain {
  constructor(replacement: HistoryReplacement) {
    replacement.onReplaced((tx, replaced) => endAgain(tx, replaced));
  }
}

async function endAgain(
  tx: Tx,
  { evidence, from, ended, first }: Replaced,
): Promise<AuthorityEvent[]> {
  const events: AuthorityEvent[] = [];
  const disabled = await tx.$queryRaw<{ id: string; version: number; allow_guests: boolean }[]>`
    UPDATE tenants SET state = 'disabled', version = version + 1
    WHERE id = ANY(${[...ended.disabledTenants]}::uuid[]) AND state = 'active' RETURNING id, version, allow_guests`;
  for (const { id, version, allow_guests } of disabled) {
    await endSessions(tx, { tenant: id }, 'tenant_disabled');
    events.push({ kind: 'tenant.changed', tenant: id, state: 'disabled', allow_guests, version });
  }
  const byReason = new Map<EndReason, string[]>();
  for (const [session, reason] of ended.sessions) {
    const ids = byReason.get(reason);
    if (ids === undefined) byReason.set(reason, [session]);
    else ids.push(session);
  }
  let sessions = 0;
  if (evidence === 'restore') {
    // No login, refresh or guarded effect is half done: each falls before this, or begins after it.
    await tx.$executeRaw`LOCK TABLE sessions IN EXCLUSIVE MODE`;
    const all = await endSessions(tx, { everybody: true }, 'session_revoked');
    sessions += all.length;
    events.push(...sessionsEnded(all, 'session_revoked'));
  }
  for (const [reason, ids] of byReason) {
    const again = await endSessions(tx, { sessions: ids }, reason);
    sessions += again.length;
    events.push(...sessionsEnded(again, reason));
  }
  const detail = {
    evidence,
    first,
    lost_history: from.history,
    position: from.n,
    sessions,
    tenants: disabled.map(({ id }) => id),
  };
  recordAudit(tx, { event: 'authority_history_replaced', detail });
  return events;
}
