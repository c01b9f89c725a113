/**
 * Why something was refused, as it is kept for an hour. A node of another version may write another
 * shape: then there is none.
 */
import * as z from 'zod';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { roleSchema } from '@wardroom/protocol';
import { USER_ROLES } from '../platform/stores/system-tenant.js';

const recordSchema = z.object({
  id: z.uuid(),
  at: z.string(),
  tenant: z.uuid(),
  user: z.uuid(),
  session: z.uuid(),
  room: z.string(),
  action: z.string(),
  rule: z.string(),
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  facts: z.object({
    room: z
      .object({
        id: z.uuid(),
        tenantId: z.uuid(),
        slug: z.string().nullable(),
        visibility: z.enum(['public', 'private', 'direct']),
        posting: z.enum(['members', 'moderators']),
        open: z.boolean(),
        archived: z.boolean(),
        kinds: z.record(z.string(), roleSchema),
        epoch: z.int(),
        version: z.int(),
      })
      .nullable(),
    member: z.object({
      role: roleSchema.nullable(),
      mutedUntilMs: z.number().nullable(),
      banned: z.boolean(),
      version: z.int(),
    }),
    user: z.object({
      role: z.enum([...USER_ROLES, 'guest']),
      active: z.boolean(),
      version: z.int(),
    }),
  }),
  authority_position: z.int(),
});
export type DecisionRecord = z.infer<typeof recordSchema>;

export const readDecision = (value: unknown): DecisionRecord | undefined =>
  recordSchema.safeParse(value).data;
