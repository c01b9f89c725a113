/**
 * The types of the Python client, from the frames and from the schemas of REST: a `TypedDict` for
 * each object, with names of the OpenAPI document.
 */
import { z } from 'zod';
import { rightSchema, roleSchema, SERVER_FRAMES } from '@wardroom/protocol';
import { openApi } from '../../dist/api-docs/openapi.js';
import { OPERATIONS } from '../../dist/api-docs/operations.js';

/** Frames that an application sees. */
const FRAMES =
  'auth_ok subscribed ack message message_edited message_deleted reaction pinned signal typing read presence watching activity rooms_changed member access'.split(
    ' ',
  );
/**
 * Answers and bodies of the calls in `wardroom/rest/api.py`; what they contain comes with them. The
 * later file imports what the earlier one has.
 */
const REST = {
  types:
    'Me ProfilePatch Receipt SessionPage RoomPage NewRoom RoomPatch ChangedRoom Sidebar SidebarPatch MemberPage NewMember MemberPatch ChangedMember NewRoomInvite CreatedRoomInvite RoomInvites WithdrawnInvite MessagePage EditList ChangeAck PinList SearchPage PersonPage',
  admin_types:
    'NewUser UserPage UserPatch ChangedUser NewTenantInvite CreatedTenantInvite TenantInvites',
};
/** Values with a name of their own. */
const NAMED = { Role: roleSchema.options, Right: rightSchema.options };
/** More values than this are a code, which a newer server may have more of. */
const VALUES_MAX = 10;
const KEYWORD = /^(?:from|in|is|class|global|import|pass)$/;

/** Path of a file: its text. */
export function pythonTypes() {
  const named = Object.entries(NAMED).map(
    ([name, values]) =>
      `${name} = Literal[\n${values.map((value) => `    ${quoted(value)},\n`).join('')}]`,
  );
  const frames = new Types({});
  for (const name of FRAMES) {
    const schema = z.toJSONSchema(SERVER_FRAMES[name], { io: 'output', unrepresentable: 'any' });
    frames.declare(pascal(name), schema);
  }
  const files = {
    'sdk-python/wardroom/frames.py': frames.text(
      'Frames of the server, as docs/protocol.md describes them.',
      `${named.join('\n')}\n`,
    ),
  };
  const document = /** @type {any} */ (openApi(OPERATIONS, 'http://localhost'));
  const { schemas } = document.components;
  const imported = new Map(Object.keys(NAMED).map((name) => [name, 'frames']));
  for (const [file, roots] of Object.entries(REST)) {
    const types = new Types(schemas, imported);
    for (const name of roots.split(' ')) types.refer(name);
    files[`sdk-python/wardroom/${file}.py`] = types.text(
      'Bodies and answers of REST, by their names in the OpenAPI document.',
    );
    for (const name of types.names) imported.set(name, file);
  }
  return files;
}

class Types {
  /** Name: declaration. A type stands behind those that it contains. */
  #declared = new Map();
  #schemas;
  /** Name: the module that has it. */
  #imported;

  constructor(schemas, imported = new Map()) {
    this.#schemas = schemas;
    this.#imported = new Map(imported);
  }

  get names() {
    return [...this.#declared.keys()];
  }

  text(about, head = '') {
    const body = [...this.#declared.values()].join('\n\n');
    const declarations = [head || this.#imports(body), body].join('\n\n');
    const typing = ['Any', 'Literal', 'TypedDict', 'Union'].filter((name) =>
      new RegExp(`\\b${name}\\b`).test(declarations),
    );
    return `"""${about} Written by \`npm run docs\`."""

from __future__ import annotations

from typing import ${typing.join(', ')}

${declarations}`;
  }

  #imports(text) {
    const modules = new Map();
    for (const [name, module] of this.#imported)
      if (new RegExp(`\\b${name}\\b`).test(text))
        modules.set(module, [...(modules.get(module) ?? []), name]);
    return [...modules]
      .map(([module, names]) => `from .${module} import ${names.sort().join(', ')}\n`)
      .join('');
  }

  refer(name) {
    if (this.#imported.has(name)) return name;
    if (!this.#declared.has(name)) this.declare(name, this.#schemas[name]);
    return name;
  }

  declare(name, schema) {
    const union = schema.oneOf ?? schema.anyOf;
    if (union !== undefined) {
      const parts = union.map((part) => this.#typeOf(part, name + pascal(labelOf(part))));
      return this.#declared.set(name, `${name} = Union[${parts.join(', ')}]\n`);
    }
    const required = new Set(schema.required);
    const fields = Object.entries(schema.properties).map(([field, inner]) => ({
      field,
      type: this.#typeOf(inner, name + pascal(field)),
      isRequired: required.has(field),
    }));
    this.#declared.set(name, declaration(name, fields));
  }

  /** `name` is for an object that has none of its own. */
  #typeOf(schema, name) {
    const { type, enum: values, items, properties, additionalProperties } = schema;
    if (schema.$ref !== undefined) {
      const referred = schema.$ref.split('/').at(-1);
      // The form of an id or of a time has no class of its own.
      const inner = this.#schemas[referred];
      return inner.type === 'string' ? this.#typeOf(inner, referred) : this.refer(referred);
    }
    if (schema.const !== undefined) return literal([schema.const]);
    if (values !== undefined) return enumeration(values);
    const parts = schema.anyOf ?? schema.oneOf ?? (Array.isArray(type) ? split(schema) : undefined);
    if (parts !== undefined)
      return [...new Set(parts.map((part) => this.#typeOf(part, name)))].join(' | ');
    if (type === 'array') return `list[${this.#typeOf(items ?? {}, singular(name))}]`;
    if (type === 'object' && properties !== undefined) {
      this.declare(name, schema);
      return name;
    }
    if (type === 'object') return `dict[str, ${this.#typeOf(additionalProperties || {}, name)}]`;
    return (
      { string: 'str', integer: 'int', number: 'float', boolean: 'bool', null: 'None' }[type] ??
      'Any'
    );
  }
}

const split = ({ type, ...schema }) => type.map((one) => ({ ...schema, type: one }));
const labelOf = ({ properties = {} }) =>
  Object.values(properties).find((field) => field.const !== undefined)?.const ?? '';
const pascal = (name) =>
  name.replaceAll(/(?:^|_)([a-z])/g, (_, /** @type {string} */ letter) => letter.toUpperCase());
const singular = (name) => name.replace(/ies$/, 'y').replace(/s$/, '');
const quoted = (value) =>
  typeof value === 'string' ? `"${value}"` : { true: 'True', false: 'False' }[String(value)];
const literal = (values) => `Literal[${values.map(quoted).join(', ')}]`;

function enumeration(values) {
  const named = Object.entries(NAMED).find(([, options]) => options.join() === values.join());
  return named?.[0] ?? (values.length > VALUES_MAX ? 'str' : literal(values));
}

/** Fields that may be absent are in a class of their own, as Python 3.10 has it. */
function declaration(name, fields) {
  if (fields.some(({ field }) => KEYWORD.test(field))) {
    if (fields.some(({ isRequired }) => !isRequired))
      throw new Error(`${name} has fields that may be absent, and one that is a word of Python`);
    const pairs = fields.map(({ field, type }) => `"${field}": ${type}`);
    return `${name} = TypedDict("${name}", {${pairs.join(', ')}})\n`;
  }
  const [required, optional] = [true, false].map((wanted) =>
    fields
      .filter(({ isRequired }) => isRequired === wanted)
      .map(({ field, type }) => `    ${field}: ${type}\n`)
      .join(''),
  );
  if (optional === '') return `class ${name}(TypedDict):\n${required}`;
  if (required === '') return `class ${name}(TypedDict, total=False):\n${optional}`;
  return `class _${name}(TypedDict):\n${required}\n\nclass ${name}(_${name}, total=False):\n${optional}`;
}
