import * as z from 'zod';

/** A signed-in device, as its user and admins see it. */
export const sessionSchema = z
  .strictObject({
    id: z.uuid(),
    tenant_id: z.uuid(),
    user_id: z.uuid(),
    guest: z.boolean(),
    device: z.string().nullable(),
    transport: z.enum(['body', 'cookie']),
    created_at: z.iso.datetime(),
    last_active_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    current: z.boolean().meta({ description: 'the session of this request' }),
  })
  .meta({ id: 'Session' });

export type SessionView = z.infer<typeof sessionSchema>;

export const sessionPageSchema = z
  .strictObject({ items: z.array(sessionSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'SessionPage' });
