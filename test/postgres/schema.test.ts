import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../src/platform/stores/migrate.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { freshDatabase } from '../support/node-process.js';

/**
 * The part of a Prisma schema that a database has too: tables, columns, types, nullability,
 * defaults, keys, indexes, foreign keys.
 */
interface Table {
  columns: Record<string, string>;
  primaryKey: string[];
  unique: string[];
  indexes: string[];
  foreignKeys: string[];
}

const scalars: Record<string, string> = {
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Boolean: 'boolean',
  Json: 'jsonb',
  Bytes: 'bytea',
  Float: 'double precision',
  DateTime: 'timestamp(3)',
  tsvector: 'tsvector',
};
const natives: Record<string, string> = {
  Uuid: 'uuid',
  'Timestamptz(3)': 'timestamp(3) with time zone',
  SmallInt: 'smallint',
};

const text = readFileSync(join(import.meta.dirname, '../../prisma/schema.prisma'), 'utf8').replace(
  /Unsupported\("(\w+)"\)/g,
  '$1',
);
const models = [...text.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name, body]) => ({
  name: name ?? '',
  lines: (body ?? '').split('\n').map((line) => line.trim()),
}));
const said = Object.fromEntries(models.map((model) => [tableOf(model.name), described(model)]));

describe('schema.prisma', () => {
  let client: pg.Client;
  beforeAll(async () => {
    const url = await freshDatabase();
    await migrate(new PostgresAccess(url));
    client = new pg.Client({ connectionString: url });
    await client.connect();
  });
  afterAll(() => client?.end());

  test('has a model for every table of the migrated database and no other', async () => {
    const { rows } = await client.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'`,
    );
    expect(Object.keys(said).sort()).toEqual(rows.map((row) => row.tablename).sort());
  });

  test.each(Object.keys(said))('describes %s as the migrations made it', async (table) => {
    expect(said[table]).toEqual(await found(client, table));
  });

  test('says of every model what a row proves', () => {
    for (const { name } of models)
      expect(text).toMatch(
        new RegExp(`^/// Proves [^\\n]+\\n(?:/// [^\\n]+\\n)*model ${name} \\{`, 'm'),
      );
  });

  test('names fields in camelCase and columns in snake_case', () => {
    for (const { lines } of models) {
      for (const [, field, , attributes] of fieldsOf(lines))
        expect([field, columnOf(field ?? '', attributes ?? '')]).toEqual([
          field,
          snake(field ?? ''),
        ]);
    }
  });
});

function tableOf(model: string): string {
  const lines = models.find(({ name }) => name === model)?.lines ?? [];
  return /@@map\("(\w+)"\)/.exec(lines.join('\n'))?.[1] ?? model;
}

/** [line, field, type, attributes] of the lines that are columns, not relations. */
function fieldsOf(lines: string[]): RegExpExecArray[] {
  return lines.flatMap((line) => {
    const match = /^(\w+)\s+(\w+)(?:\?|\[\])?\s*(.*)$/.exec(line);
    return match !== null && scalars[match[2] ?? ''] !== undefined ? [match] : [];
  });
}

function described({ lines }: { lines: string[] }): Table {
  const table: Table = { columns: {}, primaryKey: [], unique: [], indexes: [], foreignKeys: [] };
  const columns = new Map<string, string>();
  for (const [line, field = '', type = '', attributes = ''] of fieldsOf(lines)) {
    const column = columnOf(field, attributes);
    columns.set(field, column);
    const native = natives[/@db\.(\S+)/.exec(attributes)?.[1] ?? ''] ?? scalars[type] ?? type;
    // Prisma has no word for a list that may be NULL: it reads one as empty.
    const isList = /^\w+\s+\w+\[\]/.test(line);
    const nullable = (isList && !attributes.includes('@default')) || /^\w+\s+\w+\?/.test(line);
    table.columns[column] = [
      isList ? `${native}[]` : native,
      nullable ? 'null' : 'not null',
      defaultOf(attributes),
    ]
      .filter(Boolean)
      .join(' ');
    if (/@id\b/.test(attributes)) table.primaryKey = [column];
    if (/@unique\b/.test(attributes)) table.unique.push(column);
  }
  const list = (names: string) =>
    names.split(',').map((name) => columns.get(name.trim()) ?? name.trim());
  for (const line of lines) {
    const block = /^@@(id|unique|index)\(\[([^\]]+)\](?:, map: "(\w+)")?/.exec(line);
    if (block?.[1] === 'id') table.primaryKey = list(block[2] ?? '');
    if (block?.[1] === 'unique') table.unique.push(list(block[2] ?? '').join());
    if (block?.[1] === 'index') table.indexes.push(`${block[3]}: ${list(block[2] ?? '').join()}`);
    const relation =
      /^\w+\s+(\w+)\??\s+@relation\(fields: \[([^\]]+)\], references: \[([^\]]+)\], onDelete: NoAction, onUpdate: NoAction\)/.exec(
        line,
      );
    if (relation !== null)
      table.foreignKeys.push(
        `${list(relation[2] ?? '').join()} -> ${tableOf(relation[1] ?? '')}(${relation[3]})`,
      );
  }
  return sorted(table);
}

/** Partial indexes and those of expressions are left out: Prisma has no word for them. */
async function found(client: pg.Client, table: string): Promise<Table> {
  const columns = await client.query<{
    name: string;
    type: string;
    nullable: boolean;
    preset: string | null;
  }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable, pg_get_expr(adbin, adrelid) AS preset
     FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  const keys = await client.query<{
    name: string;
    kind: string;
    columns: string[];
    primary: boolean;
    constrained: boolean;
  }>(
    `SELECT c.relname AS name, i.indisprimary AS primary, i.indisunique AS constrained,
       (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(i.indkey) WITH ORDINALITY k (num, ord)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass AND i.indpred IS NULL AND i.indexprs IS NULL`,
    [table],
  );
  const references = await client.query<{ text: string; target: string }>(
    `SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f'`,
    [table],
  );
  return sorted({
    columns: Object.fromEntries(
      columns.rows.map(({ name, type, nullable, preset }) => [
        name,
        [type, nullable ? 'null' : 'not null', preset === null ? '' : `default ${literal(preset)}`]
          .filter(Boolean)
          .join(' '),
      ]),
    ),
    primaryKey: keys.rows.find(({ primary }) => primary)?.columns ?? [],
    unique: keys.rows
      .filter(({ primary, constrained }) => constrained && !primary)
      .map((key) => key.columns.join()),
    indexes: keys.rows
      .filter(({ constrained }) => !constrained)
      .map((key) => `${key.name}: ${key.columns.join()}`),
    foreignKeys: references.rows.map((row) =>
      row.text.replace(/^FOREIGN KEY \((.+)\) REFERENCES (\w+)\((\w+)\)$/, '$1 -> $2($3)'),
    ),
  });
}

function sorted(table: Table): Table {
  return {
    ...table,
    unique: table.unique.sort(),
    indexes: table.indexes.sort(),
    foreignKeys: table.foreignKeys.sort(),
  };
}

function columnOf(field: string, attributes: string): string {
  return /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? field;
}

function snake(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function defaultOf(attributes: string): string {
  if (attributes.includes('@default([])')) return 'default {}';
  const value = /@default\((?:dbgenerated\("([^"]+)"\)|"([^"]*)"|(\w+))\)/.exec(attributes);
  return value === null ? '' : `default ${value[1] ?? value[2] ?? value[3]}`;
}

/** 'active'::text -> active, '0'::bigint -> 0 */
function literal(expression: string): string {
  return /^'(.*)'::\w+(?:\[\])?$/.exec(expression)?.[1] ?? expression;
}
