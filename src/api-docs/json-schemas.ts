/**
 * Zod schemas as JSON Schema 2020-12 under `components`: a schema with an id is written once and
 * referred to.
 */
import * as z from 'zod';

export type JsonSchema = Record<string, unknown>;

const HOME = '#/components/schemas/';

export class JsonSchemas {
  readonly components: Record<string, JsonSchema> = {};

  /**
   * Input is described as it may be sent, output as it is sent. Throws when two schemas share an
   * id.
   */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const {
      $schema: _,
      $defs = {},
      ...rest
    } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
    for (const [name, definition] of Object.entries($defs))
      this.add(name, moved(definition) as JsonSchema);
    return moved(rest) as JsonSchema;
  }

  private add(name: string, definition: JsonSchema): void {
    const known = this.components[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition))
      throw new Error(`two JSON schemas are called ${name}`);
    this.components[name] = definition;
  }
}

/** The same with every `#/$defs/X` pointing to the components. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? inner.replace('#/$defs/', HOME) : moved(inner),
    ]),
  );
}
