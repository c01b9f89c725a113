/** The parts of the OpenAPI and AsyncAPI documents that the pages show. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  additionalProperties?: boolean | Schema;
}

interface Content {
  schema?: Schema;
  example?: unknown;
}
interface Operation {
  operationId: string;
  tags?: string[];
  summary?: string;
  security?: Record<string, unknown>[];
  parameters?: { name: string; in: string; required?: boolean; description?: string }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
interface Message {
  name: string;
  summary?: string;
  description?: string;
  payload: Schema;
  examples?: { payload: unknown }[];
}
export interface AsyncApi {
  channels: Record<string, { messages: Record<string, Message> }>;
  operations: Record<string, { reply?: { messages?: { $ref: string }[] } }>;
  components: { schemas: Record<string, Schema> };
}

export interface Call {
  id: string;
  method: string;
  path: string;
  summary: string;
  /** Nobody needs to be signed in. */
  isPublic: boolean;
  parameters: NonNullable<Operation['parameters']>;
  body: Content | null;
  answers: { status: string; description: string; content: Content | null }[];
}

/** By tag, in the order of the document. */
export function callsOf({ paths }: OpenApi): Map<string, Call[]> {
  const groups = new Map<string, Call[]>();
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag)!.push(callOf(path, method, operation));
    }
  return groups;
}

const callOf = (path: string, method: string, operation: Operation): Call => ({
  id: operation.operationId,
  method: method.toUpperCase(),
  path,
  summary: operation.summary ?? '',
  isPublic: (operation.security ?? []).length === 0,
  parameters: operation.parameters ?? [],
  body: Object.values(operation.requestBody?.content ?? {})[0] ?? null,
  answers: Object.entries(operation.responses).map(([status, { description, content }]) => ({
    status,
    description,
    content: status.startsWith('2') ? (Object.values(content ?? {})[0] ?? null) : null,
  })),
});

export interface Frame {
  id: string;
  name: string;
  summary: string;
  payload: Schema;
  example: unknown;
  /** Names of the frames that may answer it. */
  answers: string[];
}

/** Frames of the client, then those of the server. */
export function framesOf({ channels, operations }: AsyncApi): {
  client: Frame[];
  server: Frame[];
} {
  const messages = Object.entries(Object.values(channels)[0]?.messages ?? {});
  const frame = ([id, message]: [string, Message]): Frame => ({
    id,
    name: message.name,
    summary: message.summary ?? message.description ?? message.payload.description ?? '',
    payload: message.payload,
    example: message.examples?.[0]?.payload,
    answers: (operations[id]?.reply?.messages ?? []).map(({ $ref }) =>
      $ref.replace(/^.*\/(?:server|client)_/, ''),
    ),
  });
  const of = (side: string) => messages.filter(([id]) => id.startsWith(`${side}_`)).map(frame);
  return { client: of('client'), server: of('server') };
}

/** A type in a few words; `name` when it is a schema with a name. */
export function typeOf(schema: Schema): { text: string; name: string | null } {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace(/^.*\//, '');
    return { text: name, name };
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) {
    const types = either.map(typeOf);
    const named = types.find(({ name }) => name !== null);
    return { text: types.map(({ text }) => text).join(' | '), name: named?.name ?? null };
  }
  if (schema.const !== undefined) return { text: JSON.stringify(schema.const), name: null };
  if (schema.enum !== undefined)
    return { text: schema.enum.map((value) => JSON.stringify(value)).join(' | '), name: null };
  if (schema.items !== undefined) {
    const { text, name } = typeOf(schema.items);
    return { text: `${text.includes(' | ') ? `(${text})` : text}[]`, name };
  }
  const types = [schema.type ?? 'any'].flat().join(' | ');
  return { text: `${types}${limitsOf(schema)}`, name: null };
}

function limitsOf({ minLength, maxLength, minimum, maximum, format }: Schema): string {
  const range = (least: number | undefined, most: number | undefined, unit: string) =>
    most === undefined || most >= Number.MAX_SAFE_INTEGER
      ? ''
      : `, ${least ?? 0} to ${most}${unit}`;
  const size = range(minLength, maxLength, ' characters') + range(minimum, maximum, '');
  return `${format === undefined ? '' : ` (${format})`}${size}`;
}

/** The fields of an object, those of its parts included. */
export function fieldsOf(
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
): { name: string; isRequired: boolean; schema: Schema }[] {
  const found = schema.$ref === undefined ? schema : schemas[schema.$ref.replace(/^.*\//, '')];
  if (found === undefined) return [];
  const own = Object.entries(found.properties ?? {}).map(([name, field]) => ({
    name,
    isRequired: found.required?.includes(name) ?? false,
    schema: field,
  }));
  return [...own, ...(found.allOf ?? []).flatMap((part) => fieldsOf(part, schemas))];
}
