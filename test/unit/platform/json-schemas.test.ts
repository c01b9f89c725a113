import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { JsonSchemas } from '../../../src/api-docs/json-schemas.js';
import { openApi, operationId } from '../../../src/api-docs/openapi.js';
import { errorsOf } from '../../../src/platform/http/operation.js';
import type { Operation } from '../../../src/platform/http/operation.js';

describe('JsonSchemas', () => {
  test('writes a schema with an id once and refers to it', () => {
    const inner = z.object({ a: z.string() }).meta({ id: 'TestInner' });
    const schemas = new JsonSchemas();
    expect(schemas.of(inner, 'output')).toEqual({ $ref: '#/components/schemas/TestInner' });
    expect(schemas.of(z.object({ one: inner, many: z.array(inner) }), 'output')).toMatchObject({
      properties: {
        one: { $ref: '#/components/schemas/TestInner' },
        many: { items: { $ref: '#/components/schemas/TestInner' } },
      },
    });
    expect(Object.keys(schemas.components)).toEqual(['TestInner']);
  });

  test('refuses two schemas of one id', () => {
    const changing = z.object({ a: z.string().default('x') }).meta({ id: 'TestChanging' });
    const schemas = new JsonSchemas();
    schemas.of(changing, 'input');
    expect(() => schemas.of(changing, 'output')).toThrow('TestChanging');
  });
});

describe('operations', () => {
  const patch: Operation = {
    method: 'patch',
    path: '/v1/rooms/{room}/members/{user}',
    summary: 'x',
    auth: 'bearer',
    authority: true,
    body: z.strictObject({ a: z.string() }),
    query: z.strictObject({ wait: z.enum(['true', 'false']).default('true') }),
    answers: { 200: z.object({}) },
    errors: ['last_owner'],
  };

  test('are named by method and path', () => {
    expect(operationId(patch)).toBe('patchRoomsByRoomMembersByUser');
    expect(operationId({ method: 'get', path: '/.well-known/jwks.json' })).toBe(
      'getWellKnownJwksJson',
    );
  });

  test('have the codes that every such call has', () => {
    expect(errorsOf(patch)).toEqual(
      expect.arrayContaining([
        'last_owner',
        'not_found',
        'token_expired',
        'invalid_request',
        'too_big',
        'internal',
      ]),
    );
    expect(errorsOf(patch)).not.toContain('auth_unavailable');
    expect(errorsOf({ ...patch, auth: 'public', authority: undefined as never })).not.toContain(
      'auth_missing',
    );
  });

  test('become paths with parameters, body and one response per status', () => {
    const document = openApi([patch], 'https://rooms.example.com') as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    const described = document.paths['/v1/rooms/{room}/members/{user}']!['patch']!;
    expect(described['parameters']).toMatchObject([
      { name: 'room', in: 'path', required: true },
      { name: 'user', in: 'path', required: true },
      { name: 'wait', in: 'query', required: false },
    ]);
    expect(described['requestBody']).toMatchObject({ required: true });
    expect(Object.keys(described['responses'] as object)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '429',
      '500',
      '503',
    ]);
  });
});
