/**
 * Bodies and answers of the try-out page's own calls. They are no part of the contract and of no
 * OpenAPI document.
 */
import * as z from 'zod';

export const tryPersonSchema = z.enum(['ada', 'ben', 'admin', 'operator']);
export type TryPerson = z.infer<typeof tryPersonSchema>;

export const trySignInBody = z.strictObject({ person: tryPersonSchema });
export type TrySignInBody = z.infer<typeof trySignInBody>;

/** The answer of a node to the page that watches it. */
export const tryNodeSchema = z.object({
  id: z.uuid(),
  /** `serving`: this node can prove that its authority is current. */
  state: z.enum(['serving', 'fenced']),
  /** B of the contract. */
  lease_ms: z.int(),
  grace_ms: z.int(),
  tenant: z.string(),
  room: z.string(),
  /** Every node of this try-out, in order. Null: this one is alone. */
  nodes: z
    .array(z.object({ name: z.string(), url: z.url(), internal_url: z.url().nullable() }))
    .nullable(),
  internal_port: z.int(),
});
export type TryNodeView = z.infer<typeof tryNodeSchema>;
