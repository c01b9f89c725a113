/** The audit as operators and admins read it. */
import * as z from 'zod';
import { AUDIT_EVENTS } from '../../audit/audit-events.js';
import type { AuditEventName } from '../../audit/audit-events.js';
import type { Place } from '../../audit/verify-audit.js';
import { isId } from '../../platform/ids.js';
import { idSchema } from '../../platform/text.js';
import { pageFields, plainText } from '../../platform/zod.js';

export const auditQuerySchema = z.strictObject({
  ...pageFields,
  tenant: plainText(1, 64).optional().meta({ description: 'id or slug' }),
  user: idSchema.optional().meta({ description: 'who did it, or whom it is about' }),
  request: idSchema.optional().meta({ description: 'X-Request-Id of a call' }),
  connection: idSchema.optional().meta({ description: 'connection id of `hello`' }),
  close_id: plainText(12, 12).optional().meta({ description: 'of a `goodbye` or a close reason' }),
  event: z.enum(Object.keys(AUDIT_EVENTS) as [AuditEventName, ...AuditEventName[]]).optional(),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const auditRecordSchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    event: z.string(),
    tenant_id: z.uuid().nullable().meta({ description: 'of what it is about' }),
    actor_id: z
      .uuid()
      .nullable()
      .meta({ description: 'who did it; null: nobody known, or the system' }),
    user_id: z.uuid().nullable().meta({ description: 'whom it is about' }),
    session_hash: z
      .string()
      .nullable()
      .meta({ description: 'the first 32 hex digits of SHA-256 of the session id' }),
    ip: z.string().nullable(),
    request_id: z
      .uuid()
      .nullable()
      .meta({ description: 'X-Request-Id of the call, or the connection id' }),
    detail: z.record(z.string(), z.unknown()),
    chain: z.uuid().meta({ description: 'the node that wrote it' }),
    n: z.int().meta({ description: 'its number in that chain' }),
  })
  .meta({ id: 'AuditRecord' });
export type AuditRecordView = z.infer<typeof auditRecordSchema>;

export const auditPageSchema = z
  .object({ items: z.array(auditRecordSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPageSchema>;

/** `<chain>_<n>`: the last record that was read. Null: no such cursor. */
export function placeOf(cursor: string): Place | null {
  const [chain = '', n = '', ...rest] = cursor.split('_');
  const isNumber = Number.isSafeInteger(Number(n)) && Number(n) > 0 && String(Number(n)) === n;
  return rest.length === 0 && isId(chain) && isNumber ? { chain, n: BigInt(n) } : null;
}

export const auditSpanQuerySchema = z.strictObject({
  after: plainText(1, 60)
    .refine((cursor) => placeOf(cursor) !== null, 'a `next_cursor` of this call')
    .optional()
    .meta({ description: '`next_cursor` of the span before; absent: from the beginning' }),
});
export type AuditSpanQuery = z.infer<typeof auditSpanQuerySchema>;

export const auditSpanSchema = z
  .object({
    records: z.int().meta({ description: 'that were read in this span' }),
    chains: z.int().meta({ description: 'that there are' }),
    findings: z
      .array(z.string())
      .meta({ description: 'what is not as the nodes left it; empty: this span is whole' }),
    findings_more: z.int().meta({ description: 'that are not listed' }),
    left: z.int().meta({ description: 'records behind this span' }),
    next_cursor: z.string().nullable().meta({ description: 'null: the end was reached' }),
  })
  .meta({ id: 'AuditSpan' });
export type AuditSpan = z.infer<typeof auditSpanSchema>;
