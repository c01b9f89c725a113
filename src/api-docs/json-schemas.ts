/**
 * Zod schemas as JSON Schema 2020-12 under `components`: a schema with an id is written once and
 * referred to.
 */
import * as z from 'zod';

export type JsonSchema = Record<string, unknown>;

const HOME = '#/components/schemas/';
/** Formats with a long pattern that stand in nearly every object: written once each. */
const SHARED: Readonly<Record<string, string>> = { uuid: 'Id', 'date-time': 'Time' };

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
      this.add(name, this.moved(definition) as JsonSchema);
    return this.moved(rest) as JsonSchema;
  }

  private add(name: string, definition: JsonSchema): void {
    const known = this.components[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition))
      throw new Error(`two JSON schemas are called ${name}`);
    this.components[name] = definition;
  }

  /** The same with every `#/$defs/X` and every shared format pointing to the components. */
  private moved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.moved(item));
    if (typeof value !== 'object' || value === null) return value;
    const { type, format, pattern, ...rest } = value as JsonSchema;
    const shared = SHARED[format as string];
    // A time with an offset has another pattern; it is rare, and stays where it is.
    const isUsual = !String(pattern).includes('[+-]');
    if (type === 'string' && shared !== undefined && pattern !== undefined && isUsual) {
      this.add(shared, { type, format, pattern });
      return { $ref: HOME + shared, ...rest };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        key === '$ref' && typeof inner === 'string'
          ? inner.replace('#/$defs/', HOME)
          : this.moved(inner),
      ]),
    );
  }
}
