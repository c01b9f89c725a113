/** The configuration in effect. Source: docs/contract.md, section 10. */
import * as z from 'zod';

const valueSchema = z
  .object({
    name: z.string(),
    value: z
      .string()
      .nullable()
      .meta({ description: 'of a secret `set` or `not set`; null: none; 0 turns a limit off' }),
    source: z
      .enum(['environment', 'file', 'default'])
      .meta({ description: '`file`: read from the file that NAME_FILE names' }),
    secret: z.boolean(),
    meaning: z.string(),
  })
  .meta({ id: 'ConfigurationValue' });

export const configurationSchema = z
  .object({
    node: z.uuid().meta({ description: 'the node that answers: these values are its own' }),
    items: z.array(valueSchema),
    nodes: z
      .array(
        z.object({
          id: z.uuid(),
          name: z.string(),
          started_at: z.iso.datetime(),
          differs: z
            .array(
              z.object({
                name: z.string(),
                value: z.string().nullable(),
                here: z.string().nullable(),
              }),
            )
            .nullable()
            .meta({
              description:
                'PORT and INTERNAL_PORT left out; null: the node recorded nothing, it is of an earlier version',
            }),
        }),
      )
      .meta({ description: 'the other nodes' }),
  })
  .meta({ id: 'Configuration' });
export type Configuration = z.infer<typeof configurationSchema>;
