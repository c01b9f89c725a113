/** The explained end of a connection. Source: docs/contract.md, section 10. */
import * as z from 'zod';
import { ACTIONS } from '@wardroom/protocol/codes';
import type { Action } from '@wardroom/protocol/codes';

export const closeSchema = z
  .object({
    close_id: z.string(),
    connection_id: z.uuid(),
    session_id: z.uuid().nullable().meta({ description: 'null: no credential was accepted' }),
    user_id: z.uuid().nullable(),
    tenant_id: z.uuid().nullable(),
    node: z.uuid().meta({ description: 'the node that had the connection' }),
    ip: z.string(),
    side: z.enum(['server', 'client', 'transport']),
    code: z.string().meta({
      description:
        '`server`: a close code; `client`: the status of its close frame; `transport`: reset, timeout or half_open',
    }),
    status: z.int().nullable().meta({ description: 'of the close frame' }),
    action: z
      .enum(Object.keys(ACTIONS) as [Action, ...Action[]])
      .nullable()
      .meta({ description: 'the advice to the client; null: the server gave none' }),
    at: z.iso.datetime(),
    opened_at: z.iso.datetime(),
    token_expires_at: z.iso.datetime().nullable(),
    session_ended_at: z.iso.datetime().nullable(),
    reason: z.string().nullable().meta({ description: 'why the session ended' }),
    ended_by: z.uuid().nullable().meta({
      description:
        'the user who ended the session, or the operator who closed the connection; null: nobody known, or the system',
    }),
    receipt: z
      .uuid()
      .nullable()
      .meta({ description: 'of the revocation, as long as the authority log has it' }),
    told: z
      .object({ code: z.string(), action: z.string(), close_id: z.string() })
      .nullable()
      .meta({ description: 'sent to the client in `goodbye` and in the close reason' }),
    sentence: z.string(),
  })
  .meta({ id: 'Close' });
export type Close = z.infer<typeof closeSchema>;
