/** Nodes as operators see them. Source: docs/contract.md, section 10. */
import * as z from 'zod';

const ifItAnswered = { description: 'null: the node did not answer in 500 ms' };

export const nodeSchema = z
  .object({
    id: z.uuid().meta({ description: 'of one life of its process' }),
    name: z.string().meta({ description: 'its host' }),
    version: z.string().nullable(),
    node_version: z.string().nullable().meta({ description: 'of Node.js' }),
    started_at: z.iso.datetime(),
    lease_ms: z.int(),
    state: z.enum(['serving', 'fenced', 'draining', 'gone']),
    position: z.int().meta({ description: 'in the authority log' }),
    head: z.int().meta({ description: 'of the authority log' }),
    lease_left_ms: z.int().nullable().meta(ifItAnswered),
    clock_offset_ms: z
      .int()
      .nullable()
      .meta({ description: 'its clock minus that of Postgres; null: it did not answer' }),
    connections: z.int().nullable().meta(ifItAnswered),
    rooms: z.int().nullable().meta({ description: 'with subscribers there; null: no answer' }),
  })
  .meta({ id: 'Node' });
export type NodeView = z.infer<typeof nodeSchema>;

export const nodePageSchema = z
  .object({ items: z.array(nodeSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'NodePage' });
export type NodePage = z.infer<typeof nodePageSchema>;
