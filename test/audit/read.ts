/** The audit of a test's own tenant, read as an operator reads it. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../support/world.js';
import type { World } from '../support/world.js';

export interface AuditRecord {
  id: string;
  at: string;
  event: string;
  tenant_id: string | null;
  actor_id: string | null;
  user_id: string | null;
  session_hash: string | null;
  ip: string | null;
  request_id: string | null;
  detail: Record<string, any>;
  chain: string;
  n: number;
}

export const hashOf = (session: string): string =>
  createHash('sha256').update(session).digest('hex').slice(0, 32);

/** Everything of the tenant, oldest first. */
export async function auditOf(
  world: World,
  query: Record<string, string> = {},
): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const search: URLSearchParams = new URLSearchParams({
      tenant: world.tenant.id,
      limit: '100',
      ...query,
      ...(cursor === '' ? {} : { cursor }),
    });
    const { body }: { body: { items: AuditRecord[]; next_cursor: string | null } } = await call(
      world.base,
      `/v1/admin/audit?${search}`,
      {
        token: world.operator(),
      },
    );
    records.push(...body.items);
    cursor = body.next_cursor;
  }
  return records.reverse();
}

/**
 * Batched records come within a second: read again until the condition holds; the caller then
 * counts what there is.
 */
export async function auditUntil(
  world: World,
  fits: (records: AuditRecord[]) => boolean,
  query: Record<string, string> = {},
): Promise<AuditRecord[]> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const records = await auditOf(world, query);
    if (fits(records) || performance.now() > deadline) return records;
    await sleep(100);
  }
}

export const named = (records: AuditRecord[], event: string): AuditRecord[] =>
  records.filter((record) => record.event === event);

/** How often each event occurs. */
export function counts(records: AuditRecord[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { event } of records) found[event] = (found[event] ?? 0) + 1;
  return found;
}
