/** The audit as a stream of lines. Source: docs/contract.md, section 10. */
import * as z from 'zod';

const CURSOR = /^[1-9][0-9]{0,17}-[0-9a-f]{12}$/;

const LAST_MAX = 1_000;

export const auditExportQuerySchema = z
  .strictObject({
    after: z
      .string()
      .regex(CURSOR, 'must be the cursor of a line')
      .optional()
      .meta({ description: '`cursor` of the last line that was read' }),
    last: z.coerce
      .number()
      .int()
      .min(1)
      .max(LAST_MAX)
      .optional()
      .meta({ description: 'begins so many records before the end; not beside `after`' }),
  })
  .refine(({ after, last }) => after === undefined || last === undefined, {
    path: ['last'],
    message: 'not beside `after`',
  });
export type AuditExportQuery = z.infer<typeof auditExportQuerySchema>;

export const auditExportLineSchema = z
  .looseObject({
    cursor: z.string(),
    time: z.int().meta({ description: 'ms since 1970' }),
    class_uid: z.int(),
    class_name: z.string(),
    activity_id: z.int(),
    activity_name: z.string(),
    type_uid: z.int(),
    severity_id: z.int(),
    status_id: z.int(),
    metadata: z.looseObject({ uid: z.uuid(), event_code: z.string() }),
    unmapped: z.looseObject({ chain: z.uuid(), n: z.int() }),
  })
  .meta({ id: 'AuditExportLine', description: 'one line; an event of OCSF 1.3' });
