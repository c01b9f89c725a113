/**
 * The tables of operations are what Nest registers, with the schemas that validate; the documents
 * are made of them.
 */
import 'reflect-metadata';
import { describe, expect, test } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import { AppModule } from '../../src/app.module.js';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import type { Operation } from '../../src/platform/http/operation.js';
import { Config } from '../../src/platform/config/config.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { call, nodeA } from '../support/world.js';

type Class = new (...args: never[]) => unknown;
interface Route {
  key: string;
  handler: object;
  controller: Class;
  method: string;
}

const config = Config.parse({
  NODE_ENV: 'test',
  DATABASE_URL: 'postgres://x/x',
  REDIS_URL: 'redis://x',
  SECRET_KEY: 'x'.repeat(32),
});
const routes = routesOf(
  controllersOf(AppModule.with(config, new PostgresAccess(config.databaseUrl))),
);
const keyOf = ({ method, path }: Operation): string => `${method} ${path}`;
const byKey = new Map(OPERATIONS.map((operation) => [keyOf(operation), operation]));

describe('the tables of operations', () => {
  test('name every registered route and no other, each once', () => {
    expect(OPERATIONS.map(keyOf).sort()).toEqual(routes.map((route) => route.key).sort());
    expect(byKey.size).toBe(OPERATIONS.length);
  });

  test.each(routes.map((route) => [route.key, route] as const))(
    'say of %s what its handler says',
    (key, { handler, controller, method }) => {
      const operation = byKey.get(key)!;
      const marked = (name: string) =>
        Reflect.getMetadata(name, handler) === true ||
        Reflect.getMetadata(name, controller) === true;
      expect(operation.auth).toBe(marked('wardroom:public') ? 'public' : 'bearer');
      expect(operation.authority === true).toBe(marked('wardroom:authority-call'));
      const status =
        (Reflect.getMetadata('__httpCode__', handler) as number | undefined) ??
        (operation.method === 'post' ? 201 : 200);
      expect(Object.keys(operation.answers)).toContain(String(status));
      const parameters = Object.entries(
        (Reflect.getMetadata('__routeArguments__', controller, method) ?? {}) as Record<
          string,
          { schema?: unknown; data?: unknown }
        >,
      );
      const schemaOf = (kind: string) =>
        parameters.find(([name]) => name.startsWith(`${kind}:`))?.[1].schema;
      expect(operation.body).toBe(schemaOf('3'));
      expect(operation.query).toBe(schemaOf('4'));
      const named = parameters
        .filter(([name]) => name.startsWith('5:'))
        .map(([, { data }]) => data);
      expect([...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()).toEqual(
        [...named].sort(),
      );
    },
  );
});

describe('/openapi.json', () => {
  test('is OpenAPI 3.1 of every operation, with references that lead somewhere', async () => {
    const { body } = await call(nodeA(), '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const described = Object.entries(body.paths as Record<string, object>).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual([...byKey.keys()].sort());
    expectResolvable(body);
    const ids = Object.values(
      body.paths as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    const join = body.paths['/v1/rooms/{room}/join'].post;
    expect(join.parameters).toEqual([
      { name: 'room', in: 'path', required: true, schema: { type: 'string' } },
    ]);
    expect(join.responses[403].description).toContain('`guest_read_only` (none)');
    expect(body.components.schemas.Receipt.required).toEqual([
      'id',
      'effective',
      'state',
      'sessions',
      'connections_closed',
      'nodes',
      'ms',
    ]);
  });

  test('describes routes that are there: none answers 404 to a stranger', async () => {
    for (const operation of OPERATIONS) {
      const path = operation.path.replace(/\{\w+\}/g, '0190a0a0-0000-7000-8000-000000000000');
      const response = await fetch(nodeA() + path, { method: operation.method.toUpperCase() });
      await response.arrayBuffer();
      expect([keyOf(operation), response.status === 404]).toEqual([keyOf(operation), false]);
      if (operation.auth === 'bearer')
        expect([keyOf(operation), response.status]).toEqual([keyOf(operation), 401]);
    }
  });
});

describe('/asyncapi.json', () => {
  test('is AsyncAPI 3 of every frame, with references that lead somewhere', async () => {
    const { body } = await call(nodeA(), '/asyncapi.json');
    expect(body.asyncapi).toBe('3.0.0');
    expectResolvable(body);
    const { messages } = body.channels.connection;
    expect(messages.client_publish.payload.required).toEqual(['type', 'room', 'op_id', 'body']);
    expect(messages.server_goodbye.payload.properties.code.enum).toContain('session_revoked');
    expect(body.operations.client_publish).toMatchObject({
      action: 'receive',
      reply: {
        messages: [{ $ref: '#/channels/connection/messages/server_ack' }, expect.anything()],
      },
    });
    expect(body.channels.connection['x-close-codes'].session_revoked).toMatchObject({
      status: 1008,
      action: 'login',
    });
  });
});

function expectResolvable(document: unknown): void {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(
    (match) => match[1]!,
  );
  expect(references.length).toBeGreaterThan(10);
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .slice(1)
      .reduce<unknown>(
        (value, key) => (value as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/')],
        document,
      );
    expect([reference, typeof target]).toEqual([reference, 'object']);
  }
}

/** Nest's own walk: modules import modules, static or dynamic. */
function controllersOf(module: unknown, seen = new Set<unknown>()): Class[] {
  if (seen.has(module) || module === null || module === undefined) return [];
  seen.add(module);
  const dynamic = module as { module?: Class; imports?: unknown[]; controllers?: Class[] };
  const own = dynamic.module ?? (module as Class);
  const of = <T>(name: string): T[] =>
    typeof own === 'function' ? ((Reflect.getMetadata(name, own) as T[] | undefined) ?? []) : [];
  const imports = [...(dynamic.imports ?? []), ...of<unknown>('imports')];
  const controllers = [...(dynamic.controllers ?? []), ...of<Class>('controllers')];
  return [...new Set([...controllers, ...imports.flatMap((next) => controllersOf(next, seen))])];
}

function routesOf(controllers: Class[]): Route[] {
  return controllers.flatMap((controller) =>
    Object.getOwnPropertyNames(controller.prototype).flatMap((method) => {
      const handler = (controller.prototype as Record<string, object>)[method]!;
      const verb = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
      if (verb === undefined) return [];
      const parts = [
        Reflect.getMetadata('path', controller),
        Reflect.getMetadata('path', handler),
      ] as string[];
      const path = `/${parts
        .flatMap((part) => part.split('/'))
        .filter((part) => part !== '')
        .join('/')}`.replace(/:(\w+)/g, '{$1}');
      return [{ key: `${RequestMethod[verb].toLowerCase()} ${path}`, handler, controller, method }];
    }),
  );
}
