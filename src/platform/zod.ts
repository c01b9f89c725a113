/**
 * How REST input is validated, once: Nest's Standard Schema pipe with zod schemas. Unknown fields
 * are refused by strict schemas; a refusal names the field, never its value. Input that could not
 * be parsed at all never gets here (400).
 */
import { Body, Query, StandardSchemaValidationPipe } from '@nestjs/common';
import * as z from 'zod';
import { LIMITS } from '@wardroom/protocol/limits';
import { DomainError } from './errors.js';
import type { FieldError } from './errors.js';
import { recordInput } from './http/operation.js';
import { redactText } from './log/redact-text.js';

const ERRORS_MAX = 20;
/**
 * Names that are sent may be anything, a password in the wrong place too: only what looks like a
 * name is repeated.
 */
const NAMEABLE = /^\w{1,64}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

type Issues = Parameters<
  NonNullable<
    NonNullable<ConstructorParameters<typeof StandardSchemaValidationPipe>[0]>['exceptionFactory']
  >
>[0];

class ZodPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) =>
        new DomainError('invalid_request', { errors: fieldErrors(issues) }),
    });
  }

  /**
   * Values are kept or refused, never thinned out: a message may have any key, and a strict schema
   * knows no `__proto__`.
   */
  protected override stripProtoKeys(): void {}

  /** An absent body is an empty one: `POST /v1/auth/logout` needs none. */
  protected override validate<T = unknown>(
    ...[value, schema, options]: Parameters<StandardSchemaValidationPipe['validate']>
  ) {
    return super.validate<T>(value ?? {}, schema, options);
  }
}

const pipe = new ZodPipe();

/** The body of a call that takes none: absent or `{}`. */
export const emptyBody = z.strictObject({});

/** `@ZodBody(schema) body: z.infer<typeof schema>` */
export const ZodBody = (body: z.ZodType): ParameterDecorator =>
  validated(Body({ schema: body, pipes: [pipe] }), { body });

/**
 * `@ZodQuery(schema) query: z.infer<typeof schema>`; values arrive as text, so numbers are coerced
 * in the schema.
 */
export const ZodQuery = (query: z.ZodType): ParameterDecorator =>
  validated(Query({ schema: query, pipes: [pipe] }), { query });

/** The schema that validates is also the one that the operation of the handler shows. */
const validated =
  (decorate: ParameterDecorator, input: Parameters<typeof recordInput>[1]): ParameterDecorator =>
  (target, name, index) => {
    decorate(target, name, index);
    recordInput((target as Record<string | symbol, object>)[name!]!, input);
  };

/** z.record, which would drop a key `__proto__`: refused instead. */
export const recordOf = <Key extends z.ZodType<string, string>, Value extends z.ZodType>(
  keys: Key,
  values: Value,
) =>
  z.preprocess(
    (input, context) => {
      if (typeof input === 'object' && input !== null && Object.hasOwn(input, '__proto__'))
        context.addIssue({ code: 'custom', message: 'unknown field', path: ['__proto__'] });
      return input;
    },
    z.record(keys, values),
  );

/** Of every list: `?limit&cursor`. The cursor is the id of the last item; opaque to clients. */
export const pageFields = {
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItems).default(50),
  cursor: z.uuid().optional(),
};
export const pageQuery = z.strictObject(pageFields);
export type PageQuery = z.infer<typeof pageQuery>;

/** Of every call that answers a receipt: `?wait=false` answers at once with what is known. */
export const waitFields = {
  wait: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true'),
};
export const waitQuery = z.strictObject(waitFields);
export type WaitQuery = z.infer<typeof waitQuery>;

/** Text for Postgres: NUL and lone surrogates are refused at the edge. */
export const plainText = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine(
      (text) => !text.includes('\0') && !LONE_SURROGATE.test(text),
      'must be well-formed text without NUL',
    );

/** Cuts a list that was read one item too long; `next_cursor` is null on the last page. */
export function page<Item extends { id: string }>(
  rows: Item[],
  limit: number,
): { items: Item[]; next_cursor: string | null } {
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? items.at(-1)!.id : null };
}

function fieldErrors(issues: Issues): FieldError[] {
  return issues.slice(0, ERRORS_MAX).flatMap((issue) => {
    const path = (issue.path ?? []).map((part) =>
      String(typeof part === 'object' ? part.key : part),
    );
    const { code, keys } = issue as Partial<z.core.$ZodIssueUnrecognizedKeys>;
    if (code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
    return (keys ?? [])
      .slice(0, ERRORS_MAX)
      .map((key) => ({ path: [...path, ...nameable(key)].join('.'), message: 'unknown field' }));
  });
}

/** The name of an unknown field where it may be repeated, else nothing. */
export const nameable = (key: string): string[] =>
  NAMEABLE.test(key) && redactText(key) === key ? [key] : [];
