/**
 * Every call that Nest registers is a declared operation, and the documents are made of them.
 */
import { describe, expect, test } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { METHOD_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/internal';
import { AppModule } from '../../src/app.module.js';
import { CALL_SCOPES } from '../../src/auth/service/call-scopes.js';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { operationOf, operationsOf } from '../../src/platform/http/operation.js';
import type { Operation } from '../../src/platform/http/operation.js';
import { Config } from '../../src/platform/config/config.js';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { TryOutController } from '../../src/try-out/try-out.controller.js';
import { call, nodeA } from '../support/world.js';

const config = Config.parse({
  NODE_ENV: 'test',
  DATABASE_URL: 'postgres://x/x',
  REDIS_URL: 'redis://x',
  SECRET_KEY: 'x'.repeat(32),
  TRY_PAGE: 'on',
});
const controllers = controllersOf(AppModule.with(config, new PostgresAccess(config.databaseUrl)));
const operations = [...OPERATIONS, ...operationsOf(TryOutController)];
const keyOf = ({ method, path }: Operation): string => `${method} ${path}`;

describe('operations', () => {
  test('are every handler of every controller of the app, each once', () => {
    const registered = controllers.flatMap((controller) => operationsOf(controller)).map(keyOf);
    expect(operations.map(keyOf).sort()).toEqual(registered.sort());
    expect(new Set(registered).size).toBe(registered.length);
  });

  test.each(controllers.flatMap(handlersOf))(
    'have in their path what the handler reads of it: %s',
    (_name, controller, handler) => {
      const { path } = operationOf(controller, controller.prototype[handler]);
      const parameters = Object.entries(
        (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<
          string,
          { data?: unknown }
        >,
      );
      const read = parameters
        .filter(([key]) => key.startsWith(`${RouteParamtypes.PARAM}:`))
        .map(([, { data }]) => data);
      expect([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()).toEqual(
        [...read].sort(),
      );
    },
  );
});

test('calls of service accounts are operations with a credential', () => {
  const known = OPERATIONS.filter(({ auth }) => auth === 'bearer').map(keyOf);
  expect(Object.keys(CALL_SCOPES).filter((call) => !known.includes(call))).toEqual([]);
});

describe('/openapi.json', () => {
  test('is OpenAPI 3.1 of every operation, with references that lead somewhere', async () => {
    const { body } = await call(nodeA(), '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const described = Object.entries(body.paths as Record<string, object>).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual(OPERATIONS.map(keyOf).sort());
    expectResolvable(body);
    const ids = Object.values(
      body.paths as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    const join = body.paths['/v1/rooms/{room}/join'].post;
    expect(join.parameters).toEqual([
      {
        name: 'room',
        in: 'path',
        required: true,
        description: 'the room: its id or its slug',
        schema: { type: 'string' },
      },
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
function controllersOf(module: unknown, seen = new Set<unknown>()): Type[] {
  if (seen.has(module) || module === null || module === undefined) return [];
  seen.add(module);
  const dynamic = module as { module?: Type; imports?: unknown[]; controllers?: Type[] };
  const own = dynamic.module ?? (module as Type);
  const of = <T>(name: string): T[] =>
    typeof own === 'function' ? ((Reflect.getMetadata(name, own) as T[] | undefined) ?? []) : [];
  const imports = [...(dynamic.imports ?? []), ...of<unknown>('imports')];
  const controllers = [...(dynamic.controllers ?? []), ...of<Type>('controllers')];
  return [...new Set([...controllers, ...imports.flatMap((next) => controllersOf(next, seen))])];
}

function handlersOf(controller: Type): [name: string, controller: Type, handler: string][] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype)
    .filter((name) => Reflect.hasMetadata(METHOD_METADATA, prototype[name]!))
    .map((name) => [`${controller.name}.${name}`, controller, name]);
}
