/** The fields of a frame as a line of Markdown, from its zod schema by way of JSON Schema. */
import { z } from 'zod';
import { ACTIONS, CLOSE_CODES, ERROR_CODES, UNSUBSCRIBE_CODES } from '@wardroom/protocol';

const TABLES = [
  [ERROR_CODES, 'an error code'],
  [CLOSE_CODES, 'a close code'],
  [UNSUBSCRIBE_CODES, 'an unsubscribe code'],
  [ACTIONS, 'an action'],
].map(([codes, name]) => [Object.keys(codes).join(), name]);

/**
 * @param {import('zod').ZodType} schema of an object
 * @param {'input' | 'output'} io
 * @param {readonly string[]} except fields that every frame has
 */
export function fieldsOf(schema, io, except) {
  const { properties, required = [] } = z.toJSONSchema(schema, { io });
  const fields = Object.entries(properties).filter(([name]) => !except.includes(name));
  return (
    fields
      .map(
        ([name, field]) =>
          `\`${name}${required.includes(name) ? '' : '?'}\` ${name.endsWith('_ms') ? 'ms' : typeOf(field)}`,
      )
      .join('; ') || '-'
  );
}

function typeOf(field) {
  const { type, format, enum: values, anyOf, items, maxLength, $ref } = field;
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (values !== undefined)
    return (
      TABLES.find(([codes]) => codes === values.join())?.[1] ??
      values.map((value) => `\`${value}\``).join(' or ')
    );
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if ($ref !== undefined || type === undefined) return 'any JSON value';
  if (type === 'array')
    return items?.enum === undefined ? `list of ${typeOf(items)}s` : 'list of rights';
  if (type === 'string' && format === 'uuid') return 'id';
  if (type === 'string' && format === 'date-time') return 'time';
  if (type === 'string') return maxLength === undefined ? 'text' : `text ≤ ${maxLength}`;
  if (type === 'integer') return 'integer';
  return type;
}
