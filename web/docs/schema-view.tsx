/** The fields of a schema; a field whose type has a name opens to its own. */
import { type Schema, fieldsOf, typeOf } from '../model/docs/api.js';
import { Words } from './words.js';

const DEPTH_MAX = 4;

interface Props {
  schema: Schema;
  schemas: Readonly<Record<string, Schema>>;
  depth?: number;
}

export function SchemaView({ schema, schemas, depth = 0 }: Props) {
  const type = typeOf(schema);
  const fields = fieldsOf(type.name === null ? schema : { $ref: `/${type.name}` }, schemas);
  if (fields.length === 0)
    return type.text === 'any' ? null : (
      <p>
        <code>{type.text}</code>
      </p>
    );
  return (
    <ul class="fields">
      {fields.map(({ name, isRequired, schema: field }) => (
        <FieldView key={name} {...{ name, isRequired, field, schemas, depth }} />
      ))}
    </ul>
  );
}

interface FieldProps extends Omit<Props, 'schema'> {
  name: string;
  isRequired: boolean;
  field: Schema;
  depth: number;
}

function FieldView({ name, isRequired, field, schemas, depth }: FieldProps) {
  const type = typeOf(field);
  const line = (
    <>
      <code>
        {name}
        {isRequired ? '' : '?'}
      </code>{' '}
      {type.text === 'any' ? null : <span class="type">{type.text}</span>}{' '}
      <span class="soft">
        <Words text={field.description ?? ''} />
      </span>
    </>
  );
  const inner = type.name === null ? (field.items ?? field) : { $ref: `/${type.name}` };
  if (depth >= DEPTH_MAX || fieldsOf(inner, schemas).length === 0) return <li>{line}</li>;
  return (
    <li>
      <details>
        <summary>{line}</summary>
        <SchemaView schema={inner} schemas={schemas} depth={depth + 1} />
      </details>
    </li>
  );
}
