/** The examples of /openapi.json and /asyncapi.json are what they are examples of. */
import { describe, expect, test } from '@jest/globals';
import { CLIENT_FRAMES, SERVER_FRAMES } from '@wardroom/protocol';
import type * as z from 'zod';
import { asyncApi } from '../../src/api-docs/asyncapi.js';
import { openApi } from '../../src/api-docs/openapi.js';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { problemSchema } from '../../src/platform/http/operation.js';

const document = openApi(OPERATIONS, 'https://rooms.example.com') as any;
const described = (method: string, path: string) => document.paths[path][method];
const faults = (schema: z.ZodType, example: unknown) => {
  const { success, error } = schema.safeParse(example);
  return success ? [] : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const exampleIn = (content: Record<string, { example?: unknown }>) =>
  Object.values(content)[0]!.example;

describe('the OpenAPI document', () => {
  const calls = OPERATIONS.map((operation) => ({
    ...operation,
    call: `${operation.method} ${operation.path}`,
  }));
  const bodies = calls.flatMap(({ call, method, path, body }) =>
    body === undefined ? [] : [{ call, body, shown: described(method, path).requestBody.content }],
  );
  const answers = calls.flatMap(({ call, method, path, answers: byStatus }) =>
    Object.entries(byStatus).flatMap(([status, schema]) => {
      const content = described(method, path).responses[status].content;
      return schema === null || exampleIn(content) === undefined
        ? []
        : [{ call: `${call}: ${status}`, schema, shown: content }];
    }),
  );

  test.each(bodies)('has a body for $call that it takes', ({ body, shown }) => {
    expect(faults(body, exampleIn(shown))).toEqual([]);
  });

  test.each(answers)('has an answer of $call', ({ schema, shown }) => {
    expect(faults(schema, exampleIn(shown))).toEqual([]);
  });

  test('has a problem', () => {
    expect(faults(problemSchema, document.components.schemas.Problem.examples[0])).toEqual([]);
  });

  test('describes every parameter', () => {
    const silent = calls.flatMap(({ call, method, path }) =>
      described(method, path)
        .parameters.filter(({ description }: any) => !description)
        .map(({ name }: any) => `${call} ${name}`),
    );
    expect(silent).toEqual([]);
  });

  test('writes the form of an id and of a time once', () => {
    const text = JSON.stringify(document);
    expect(text.match(/"format":"uuid"/g)).toHaveLength(1);
    expect(text.match(/"format":"date-time"(?!,"pattern":"[^"]*\[\+-\])/g)).toHaveLength(1);
  });
});

describe('the AsyncAPI document', () => {
  const { messages } = (asyncApi('https://rooms.example.com') as any).channels.connection;
  const frames = [
    ...Object.entries(CLIENT_FRAMES).map(([type, schema]) => ({ name: `client_${type}`, schema })),
    ...Object.entries(SERVER_FRAMES).map(([type, schema]) => ({ name: `server_${type}`, schema })),
  ];

  test.each(frames)('has a frame $name', ({ name, schema }) => {
    expect(faults(schema, messages[name].examples[0].payload)).toEqual([]);
  });
});
