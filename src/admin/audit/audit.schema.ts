/** The audit as operators and admins read it. */
import * as z from 'zod';
import { AUDIT_EVENTS } from '../../audit/audit-events.js';
import type { AuditEventName } from '../../audit/audit-events.js';
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
