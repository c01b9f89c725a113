/** Answers to a client: a pair of tokens, or a ticket for one handshake. */
import * as z from 'zod';

export const tokensSchema = z
  .strictObject({
    access_token: z.string().optional().meta({ description: 'absent with transport `cookie`' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(0).meta({ description: 'seconds' }),
    refresh_token: z.string().optional().meta({ description: 'absent with transport `cookie`' }),
    session_id: z.uuid(),
    refresh_after_ms: z.int().min(0),
  })
  .meta({ id: 'Tokens' });
export type Tokens = z.infer<typeof tokensSchema>;

export const ticketSchema = z
  .strictObject({ ticket: z.string(), expires_in: z.int().min(1) })
  .meta({ id: 'Ticket' });
export type Ticket = z.infer<typeof ticketSchema>;
