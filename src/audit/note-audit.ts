/**
 * `noteAudit(tx, {...})`: a record of what this transaction does. It is written in the same transaction (audit-trail.ts),
 * so it exists exactly when the change does; a transaction that is rolled back, or run again, leaves no other.
 */
import { wallMs } from '../platform/clock.js';
import type { Tx } from '../platform/database.js';
import { newId } from '../platform/ids.js';
import { currentRequest } from '../platform/request-context.js';
import { sessionHash } from './audit-hash.js';
import type { AuditNote, AuditRecord } from './audit-events.js';

const noted = new WeakMap<Tx, AuditRecord[]>();

export function noteAudit(tx: Tx, note: AuditNote): void {
  const records = noted.get(tx);
  if (records === undefined) noted.set(tx, [toRecord(note)]);
  else records.push(toRecord(note));
}

/** What this transaction has noted since it was last asked. */
export function takeNoted(tx: Tx): AuditRecord[] {
  const records = noted.get(tx) ?? [];
  noted.delete(tx);
  return records;
}

export function toRecord(note: AuditNote): AuditRecord {
  const request = currentRequest();
  const caller = request?.actor;
  const session = note.session === undefined ? caller?.sessionId : note.session;
  return {
    id: newId(),
    at: new Date(wallMs()).toISOString(),
    event: note.event,
    tenant_id: orElse(note.tenant, caller?.tenantId),
    actor_id: orElse(note.actor, caller?.userId),
    user_id: orElse(note.user, undefined),
    session_hash: session === undefined || session === null ? null : sessionHash(session),
    ip: orElse(note.ip, request?.ip),
    request_id: orElse(note.requestId, request?.requestId),
    // As JSON will keep it: a member that is undefined is none.
    detail: JSON.parse(JSON.stringify(note.detail ?? {})) as AuditRecord['detail'],
  };
}

const orElse = (said: string | null | undefined, known: string | undefined): string | null => (said === undefined ? (known ?? null) : said);
