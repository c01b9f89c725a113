/**
 * An example for each body, answer and frame, from its schema. A test gives every one to the schema
 * it was made from.
 */
import type { JsonSchema } from './json-schemas.js';

const HOME = '#/components/schemas/';
const ID = '01a1f0c2-7b3e-7c55-9f0e-2d9b6a1c4e01';
const TIME = '2026-11-22T02:23:44.578Z';

const TOKEN = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln';

/** Texts by the name of their field, or by the schema and the field. */
const TEXTS: Readonly<Record<string, string>> = {
  access_token: TOKEN,
  action: 'none',
  alg: 'ES256',
  close_id: '01a1f0c2-7b3e-7c55-9f0e-2d9b6a1c0c1d',
  code: 'h7Qm2xT9kRw4',
  'Close.code': 'session_revoked',
  current: 'correct horse battery',
  device: 'laptop',
  email: 'ada@acme.example',
  emoji: '👍',
  epoch: '01a1f0c2-7b3e-7c55-9f0e-2d9b6a1c04f1.0',
  external_id: 'customer-17',
  id: '1',
  id_token: TOKEN,
  ip: '203.0.113.7',
  kind: 'text',
  logout_token: TOKEN,
  message: 'A sentence for people.',
  name: 'Ada',
  'NewRoom.name': 'Lobby',
  'NewServiceAccount.name': 'shop',
  'NewTenant.name': 'Acme',
  'NewTenant.slug': 'acme',
  'Room.name': 'Lobby',
  'RoomPatch.name': 'Lobby',
  'ServiceAccount.name': 'shop',
  'Tenant.name': 'Acme',
  'Tenant.slug': 'acme',
  new: 'a better horse battery',
  op_id: 'op-1',
  password: 'correct horse battery',
  protocol: 'wardroom.v1',
  reason: 'lost laptop',
  refresh_token: 'wr_rt_xU3bVn0Qm1',
  role: 'member',
  room: 'lobby',
  scope: 'session',
  slug: 'lobby',
  tenant: 'acme',
  text: 'Hello',
  ticket: 'wr_tk_8sJ2kQ',
  token: TOKEN,
  token_type: 'Bearer',
  user_agent: 'Mozilla/5.0',
};
const AMOUNTS: Readonly<Record<string, number>> = {
  committed_ms: 3,
  expires_in: 300,
  expires_in_ms: 280_000,
  ms: 12,
  n: 7,
  read_n: 5,
  refresh_after_ms: 199_000,
  seq: 42,
  unread: 2,
};
/** Of a message that is not deleted, a member that is not banned, a page that is the last. */
const NULLS =
  /^(?:deleted_at|edited_at|retry_after_ms|muted_until|next_cursor|reply_to|mentions|retired_at|withdrawn_at)$/;
const NO = /^(?:archived|banned|duplicate|guest|truncated)$/;
const FORMATS: Readonly<Record<string, string>> = {
  uuid: ID,
  'date-time': TIME,
  email: 'ada@acme.example',
  uri: 'https://rooms.example.com/',
};
/** By their pattern, where a schema has one and no format. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^20\\d\\d-(0[1-9]|1[0-2])$': '2026-11',
  '^[a-z0-9][a-z0-9-]{0,62}$': 'lobby',
};

/** Fields that may be absent are shown in answers, and in bodies where nothing is required. */
export class Examples {
  constructor(
    private readonly components: Readonly<Record<string, JsonSchema>>,
    private readonly io: 'input' | 'output',
  ) {}

  /** `owner` is the id of the schema that has the field. */
  of(schema: JsonSchema, field = '', owner = ''): unknown {
    const { $ref, type, examples, enum: values } = schema;
    if (typeof $ref === 'string') {
      const name = $ref.slice(HOME.length);
      return this.of(this.components[name]!, field, name);
    }
    if (Array.isArray(examples)) return examples[0];
    for (const key of ['const', 'default'] as const) if (key in schema) return schema[key];
    const choice = choiceOf(schema, field);
    if (choice !== undefined) return this.of(choice, field, owner);
    const usual = TEXTS[`${owner}.${field}`] ?? TEXTS[field];
    if (Array.isArray(values)) return values.includes(usual) ? usual : values[0];
    switch (type) {
      case 'object':
        return this.object(schema, owner);
      case 'array':
        return [this.of((schema['items'] ?? {}) as JsonSchema, singular(field), owner)];
      case 'string':
        return text(schema, usual);
      case 'integer':
      case 'number':
        return amount(schema, field);
      case 'boolean':
        return !NO.test(field);
      case 'null':
        return null;
      default:
        return { text: 'Hello' };
    }
  }

  private object(schema: JsonSchema, owner: string): Record<string, unknown> {
    const { properties = {}, required = [] } = schema as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    const isShown = (name: string) =>
      this.io === 'output' || required.length === 0 || required.includes(name);
    return Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => isShown(name))
        .map(([name, inner]) => [name, this.of(inner, name, owner)]),
    );
  }
}

/** The first of several schemas that shows something. */
function choiceOf(
  { anyOf, oneOf, allOf, type, ...rest }: JsonSchema,
  field: string,
): JsonSchema | undefined {
  const choices = (anyOf ?? oneOf ?? allOf) as JsonSchema[] | undefined;
  const types = Array.isArray(type) ? type.map((one: unknown) => ({ ...rest, type: one })) : [];
  const isNull = (choice: JsonSchema) => choice['type'] === 'null';
  const all = choices ?? types;
  return (NULLS.test(field) ? all.find(isNull) : undefined) ?? all.find((one) => !isNull(one));
}

function text({ format, pattern, minLength = 0 }: JsonSchema, usual = 'text'): string {
  const shaped = FORMATS[format as string] ?? PATTERNS[pattern as string];
  // A slug may have a better text than that of its pattern.
  const isSlug = typeof pattern === 'string' && format === undefined;
  const found = isSlug && new RegExp(pattern).test(usual) ? usual : shaped;
  return (found ?? usual).padEnd(minLength as number, '-');
}

function amount({ minimum = 0, maximum = Infinity }: JsonSchema, field: string): number {
  const usual = AMOUNTS[field] ?? (field.endsWith('_ms') ? 1000 : 1);
  return Math.min(Math.max(usual, minimum as number), maximum as number);
}

const singular = (field: string): string => field.replace(/s$/, '');
