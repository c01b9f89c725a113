/** OpenAPI 3.1 from the operations and the very schemas that validate. */
import type * as z from 'zod';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { Examples } from './examples.js';
import { JsonSchemas } from './json-schemas.js';
import type { JsonSchema } from './json-schemas.js';
import { pathDescription, queryDescription } from './parameters.js';
import {
  API_VERSION,
  documentSchema,
  errorsOf,
  problemSchema,
} from '../platform/http/operation.js';
import type { Operation } from '../platform/http/operation.js';

const TAGS: readonly [prefix: string, tag: string][] = [
  ['/v1/auth', 'auth'],
  ['/v1/me/rooms', 'rooms'],
  ['/v1/me', 'auth'],
  ['/v1/service', 'auth'],
  ['/v1/oauth', 'oauth'],
  ['/.well-known', 'oauth'],
  ['/v1/rooms', 'rooms'],
  ['/v1/search', 'rooms'],
  ['/v1/admin', 'admin'],
  ['/v1/receipts', 'admin'],
];

export function openApi(
  operations: readonly Operation[],
  serverUrl: string,
): Record<string, unknown> {
  const schemas = new JsonSchemas();
  const problem = schemas.of(problemSchema, 'output');
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations)
    (paths[operation.path] ??= {})[operation.method] = describe(operation, schemas, problem);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Wardroom',
      version: API_VERSION,
      summary: 'Realtime rooms whose credentials stay true',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-wr_at',
          description: 'unsafe calls need X-CSRF-Token and an allowed Origin, too',
        },
      },
    },
  };
}

function describe(operation: Operation, schemas: JsonSchemas, problem: JsonSchema): JsonSchema {
  const { summary, auth, body, consumes = 'application/json', headers, path } = operation;
  return {
    operationId: operationId(operation),
    tags: [TAGS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'node'],
    summary,
    ...descriptionOfCall(operation),
    security: auth === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    parameters: [
      ...pathParameters(path),
      ...queryParameters(operation, schemas),
      ...headerParameters(headers),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse({}).success,
            content: { [consumes]: shown(body, schemas, 'input') },
          },
        }),
    responses: { ...refusals(operation, problem), ...answers(operation, schemas) },
  };
}

function descriptionOfCall({ authority, stepUp }: Operation): { description?: string } {
  const sentences = [
    ...(authority === true ? ['Works on a node that cannot prove its authority, too.'] : []),
    ...(stepUp === undefined
      ? []
      : [
          `In a session of cookies it needs a password that was given lately (\`POST /v1/auth/step-up\`): ${stepUp.when}.`,
        ]),
  ];
  return sentences.length === 0 ? {} : { description: sentences.join(' ') };
}

/** `patchRoomsByRoomMembersByUser`: from method and path, so that it is unique and stays. */
export function operationId({ method, path }: Pick<Operation, 'method' | 'path'>): string {
  const words = path.replace(/^\/v1\//, '/').match(/\{?[a-z0-9]+/gi) ?? [];
  return (
    method +
    words
      .map((word) => (word.startsWith('{') ? `By${capital(word.slice(1))}` : capital(word)))
      .join('')
  );
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: pathDescription(path, name!),
    schema: { type: 'string' },
  }));
}

function queryParameters({ query, method, path }: Operation, schemas: JsonSchemas): JsonSchema[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(query, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description: queryDescription(`${method.toUpperCase()} ${path}`, name, schema),
    schema,
  }));
}

function headerParameters(headers: Operation['headers'] = {}): JsonSchema[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
}

function answers(
  { answers: byStatus, produces = 'application/json' }: Operation,
  schemas: JsonSchemas,
): JsonSchema {
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, schema]) => [
      status,
      {
        description: descriptionOf(Number(status)),
        ...(schema === null ? {} : { content: { [produces]: shown(schema, schemas, 'output') } }),
      },
    ]),
  );
}

/** A schema with an example; a form that is not ours to promise has none. */
function shown(zod: z.ZodType, schemas: JsonSchemas, io: 'input' | 'output'): JsonSchema {
  const schema = schemas.of(zod, io);
  if (zod === documentSchema || (schema['type'] === 'string' && io === 'output')) return { schema };
  return { schema, example: new Examples(schemas.components, io).of(schema) };
}

const descriptionOf = (status: number): string =>
  status >= 400 ? 'refused' : status === 201 ? 'created' : 'done';

/** One response per status; the codes it may carry are named with what they mean. */
function refusals(operation: Operation, problem: JsonSchema): JsonSchema {
  const byStatus = new Map<number, ErrorCode[]>();
  const add = (status: number, code: ErrorCode) =>
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  for (const code of errorsOf(operation)) {
    if (code === 'invalid_request' && operation.body !== undefined) add(415, code);
    // Said in the words of another specification.
    if (code === 'invalid_request' && operation.answers[400] !== undefined) continue;
    add(ERROR_CODES[code].status, code);
    if (code === 'invalid_request' && operation.body !== undefined) add(400, code);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\` (${ERROR_CODES[code].action})`).join(', '),
        content: {
          'application/problem+json': {
            schema: { allOf: [problem, { properties: { code: { enum: codes } } }] },
          },
        },
      },
    ]),
  );
}
