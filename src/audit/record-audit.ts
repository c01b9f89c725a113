/**
 * `recordAudit(tx, {...})`: a record of what this transaction does. It is written in the same
 * transaction (audit-trail.ts), so it exists exactly when the change does; a transaction that is
 * rolled back, or run again, leaves no other.
 */
import { wallMs } from '../platform/clock.js';
import type { Tx } from '../platform/stores/database.js';
import { idAt } from '../platform/ids.js';
import { currentRequest } from '../platform/request-context.js';
import type { RequestContext } from '../platform/request-context.js';
import { sessionHash } from './audit-hash.js';
import type { AuditNote, AuditRecord } from './audit-events.js';

const noted = new WeakMap<Tx, AuditRecord[]>();

export function recordAudit(tx: Tx, note: AuditNote): void {
  const record = toRecord(noticed(note));
  const records = noted.get(tx);
  if (records === undefined) noted.set(tx, [record]);
  else records.push(record);
}

/** The records of this transaction since the last call. */
export function takeNoted(tx: Tx): AuditRecord[] {
  const records = noted.get(tx) ?? [];
  noted.delete(tx);
  return records;
}

/** A note with its moment and its request; costs nothing. */
export interface Noticed {
  readonly note: AuditNote;
  readonly atMs: number;
  readonly seq: number;
  readonly request: RequestContext | undefined;
}

let seq = 0;

export const noticed = (note: AuditNote): Noticed => ({
  note,
  atMs: wallMs(),
  seq: (seq = (seq + 1) >>> 0),
  request: currentRequest(),
});

export function toRecord({ note, atMs, seq, request }: Noticed): AuditRecord {
  const caller = request?.actor;
  const session = note.session === undefined ? caller?.sessionId : note.session;
  return {
    id: idAt(atMs, seq),
    at: new Date(atMs).toISOString(),
    event: note.event,
    tenant_id: orElse(note.tenant, caller?.tenantId),
    actor_id: orElse(note.actor, caller?.actor ?? caller?.userId),
    user_id: note.user ?? null,
    session_hash: session === undefined || session === null ? null : sessionHash(session),
    ip: orElse(note.ip, request?.ip),
    request_id: orElse(note.requestId, request?.requestId),
    // As JSON will keep it: a member that is undefined is none.
    detail: JSON.parse(
      JSON.stringify(
        caller?.actor === undefined ? (note.detail ?? {}) : { ...note.detail, as: caller.userId },
      ),
    ) as AuditRecord['detail'],
  };
}

const orElse = (said: string | null | undefined, known: string | undefined): string | null =>
  said === undefined ? (known ?? null) : said;
