/**
 * The chain that makes the audit tamper-evident. A record's digest is an HMAC under a key derived
 * from SECRET_KEY and is stored nowhere; Postgres links digests into a chain (append_audit). So a
 * writer of the database who does not know SECRET_KEY can neither alter a record nor close the gap
 * that a deleted one leaves.
 */
import { createHash, createHmac, hash } from 'node:crypto';
import { deriveKey } from '../platform/sealed-box.js';
import type { AuditRecord } from './audit-events.js';

export interface AuditKey {
  /** Says which SECRET_KEY it was, and nothing about it. */
  readonly id: string;
  readonly secret: Buffer;
  /** Seals heads, and nothing else. */
  readonly heads: Buffer;
}

/** How far a chain reaches: the number and the hash of its last record. */
export interface Head {
  readonly n: bigint;
  readonly hash: Buffer;
}

export function auditKey(secretKey: string): AuditKey {
  const secret = deriveKey(secretKey, 'wardroom audit');
  return {
    id: createHash('sha256').update(secret).digest('hex').slice(0, 16),
    secret,
    heads: deriveKey(secretKey, 'wardroom audit heads'),
  };
}

/**
 * Records name sessions by this. Plain, not keyed: a session id has 74 random bits, so nobody finds
 * it by trying, and whoever knows an id can find its records without the server, also after
 * SECRET_KEY has changed.
 */
export const sessionHash = (session: string): string => hash('sha256', session).slice(0, 32);

export function recordDigest(key: AuditKey, record: AuditRecord): Buffer {
  const { id, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail } =
    record;
  // Of plain values JSON.stringify is canonical; only the detail has members to put in order.
  const plain = JSON.stringify([
    id,
    at,
    event,
    tenant_id,
    actor_id,
    user_id,
    session_hash,
    ip,
    request_id,
  ]);
  return createHmac('sha256', key.secret)
    .update(`${plain.slice(0, -1)},${canonical(detail)}]`)
    .digest();
}

/** The same as in append_audit. */
export function nextHash(before: Uint8Array, n: bigint, digest: Uint8Array): Buffer {
  return createHash('sha256').update(before).update(int64(n)).update(digest).digest();
}

/**
 * The hash that the first record of a chain is linked to: no chain can be passed off as another's.
 */
export const genesisHash = (node: string): Buffer =>
  createHash('sha256')
    .update(Buffer.from(node.replaceAll('-', ''), 'hex'))
    .digest();

/** Shows that a node, and not somebody at the database, moved the beginning of a chain. */
export function pruneSeal(key: AuditKey, node: string, n: bigint, hash: Uint8Array): Buffer {
  return createHmac('sha256', key.secret).update(`pruned ${node} ${n} `).update(hash).digest();
}

/** Shows that `witness`, and not somebody at the database, wrote that `chain` reached this head. */
export function headSeal(key: AuditKey, witness: string, chain: string, { n, hash }: Head): Buffer {
  return createHmac('sha256', key.heads).update(`${witness} ${chain} ${n} `).update(hash).digest();
}

/** JSON with sorted keys: jsonb keeps no order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join()}}`;
}

function int64(n: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(n);
  return bytes;
}
