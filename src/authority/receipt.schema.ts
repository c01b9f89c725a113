import * as z from 'zod';

/** The answer to a revocation or a policy change that takes rights (contract section 7). */
export const receiptSchema = z
  .object({
    id: z.uuid(),
    /** The history of the authority log that the change is part of (docs/authority.md). */
    history: z.uuid().optional(),
    effective: z.boolean(),
    state: z.enum(['effective', 'pending']),
    sessions: z.int().min(0),
    connections_closed: z.int().min(0),
    nodes: z.array(
      z.object({ id: z.uuid(), state: z.enum(['confirmed', 'fenced']), ms: z.int().min(0) }),
    ),
    /** From the call to the COMMIT; absent when the receipt is asked for again. */
    committed_ms: z.int().min(0).optional(),
    ms: z.int().min(0),
  })
  .meta({ id: 'Receipt' });

export type Receipt = z.infer<typeof receiptSchema>;
