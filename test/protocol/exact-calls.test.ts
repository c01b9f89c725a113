/**
 * REST is entered by its own paths, methods and media types only: nothing else is understood as one
 * of them, and no input is skipped.
 */
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { World, call, nodeA } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { expectProblem } from './harness.js';

let world: World;
let ada: SignedIn;
let room: string;

beforeAll(async () => {
  world = await World.create();
  ada = await world.user('ada', 'admin');
  room = await world.room(ada);
});

interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** The target goes out as it stands; `fetch` would tidy it. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(nodeA());
    const length =
      body === undefined || 'transfer-encoding' in headers
        ? {}
        : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        headers: { authorization: `Bearer ${ada.token}`, ...length, ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, text }),
        );
      },
    );
    sent.on('error', reject).end(body);
  });
}

function expectRefusal(
  { status, headers, text }: Got,
  code: Parameters<typeof expectProblem>[3],
  expected: number,
): void {
  expect(status).toBe(expected);
  expectProblem(
    status,
    (name) => (headers[name] as string | undefined) ?? null,
    JSON.parse(text),
    code,
  );
}

describe('a path has one spelling', () => {
  test.each([
    ...[
      '/V1/me',
      '/v1/ME',
      '/v1/me/',
      '//v1/me',
      '/v1//me',
      '/v1/./me',
      '/v1/rooms/../me',
      '/v1/%6de',
      '/v1/me%2f',
      '/v1/me%20',
      '/v1/me;x=1',
      '/v1/me#',
      '/v1\\me#',
    ],
    ...[
      '/V1/admin/tenants',
      '/v1/Admin/tenants',
      '/v1/%61dmin/tenants',
      '/OPENAPI.json',
      '/openapi-json',
      '/livez/',
      '/.well-known/jwks.json/',
      '//evil/v1/me',
    ],
  ])('%s is 404', async (path) => {
    expectRefusal(await send('GET', path), 'not_found', 404);
  });

  test('also what is named in it: an id or slug in percent signs names nothing', async () => {
    expect((await send('GET', `/v1/rooms/${room}`)).status).toBe(200);
    expectRefusal(
      await send('GET', `/v1/rooms/%${room.charCodeAt(0).toString(16)}${room.slice(1)}`),
      'not_found',
      404,
    );
    expectRefusal(await send('GET', `/v1/rooms/${room}/`), 'not_found', 404);
  });

  test('a target that names the host has its path, too (RFC 9112)', async () => {
    expect((await send('GET', `${nodeA()}/v1/me`)).status).toBe(200);
    expectRefusal(await send('GET', `${nodeA()}/v1/Me`), 'not_found', 404);
  });
});

describe('a known path with another method is 405 and says which it has', () => {
  const known = [...new Set(OPERATIONS.map(({ path }) => path))];
  test.each(known)('%s', async (path) => {
    const target = path.replace(/\{\w+\}/g, '0190a0a0-0000-7000-8000-000000000000');
    const has = new Set(
      OPERATIONS.filter((operation) => operation.path === path).map(({ method }) =>
        method.toUpperCase(),
      ),
    );
    const allow = [...has, ...(has.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].filter(
      (one) => !has.has(one),
    )) {
      const answer = await send(method, target, { authorization: '' });
      expectRefusal(answer, 'method_not_allowed', 405);
      expect(answer.headers.allow).toBe(allow);
    }
    expect((await send('HEAD', target)).status === 405).toBe(!has.has('GET'));
    expect(await send('OPTIONS', target)).toMatchObject({ status: 204, headers: { allow } });
  });

  test('OPTIONS of a path that is none is 404, but a browser that asks first is answered', async () => {
    expectRefusal(await send('OPTIONS', '/v1/nothing'), 'not_found', 404);
    expect(
      (await send('OPTIONS', '/v1/nothing', { 'access-control-request-method': 'GET' })).status,
    ).toBe(204);
  });
});

const scope = JSON.stringify({ scope: 'all' });

describe('a body of a type that the call does not read is 415, and has no effect', () => {
  const logout = (headers: Record<string, string>, body: string | Buffer) =>
    send('POST', '/v1/auth/logout', headers, body);

  test.each<[string, Record<string, string>, string | Buffer]>([
    ['as a page sends text', { 'content-type': 'text/plain;charset=UTF-8' }, scope],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'scope=all'],
    ['as a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }, scope],
    ['of no type', {}, scope],
    ['of a type that is none', { 'content-type': 'json' }, scope],
    ['of a suffix type', { 'content-type': 'application/vnd.api+json' }, scope],
    ['of the old name of JSON', { 'content-type': 'text/json' }, scope],
    [
      'in UTF-16',
      { 'content-type': 'application/json; charset=utf-16le' },
      Buffer.from(scope, 'utf16le'),
    ],
    ['in UTF-7', { 'content-type': 'application/json; charset=utf-7' }, scope],
    ['in Latin 1', { 'content-type': 'application/json; charset=iso-8859-1' }, scope],
    [
      'in an encoding nobody knows',
      { 'content-type': 'application/json', 'content-encoding': 'x-rot13' },
      scope,
    ],
    [
      'in two encodings',
      { 'content-type': 'application/json', 'content-encoding': 'gzip, gzip' },
      scope,
    ],
    [
      'chunked, of another type',
      { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
      scope,
    ],
  ])('%s', async (_, headers, body) => {
    expectRefusal(await logout(headers, body), 'invalid_request', 415);
    await call(nodeA(), '/v1/me', { token: ada.token });
  });

  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])('%s is read', async (type) => {
    const again = await world.login(ada);
    expect(
      (
        await send(
          'POST',
          '/v1/auth/logout',
          { 'content-type': type, authorization: `Bearer ${again.token}` },
          '{}',
        )
      ).status,
    ).toBe(200);
  });

  test('compressed JSON is read; what is no gzip is 400', async () => {
    const again = await world.login(ada);
    const headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      authorization: `Bearer ${again.token}`,
    };
    expectRefusal(await logout(headers, scope), 'invalid_request', 400);
    expect((await logout(headers, gzipSync('{}'))).status).toBe(200);
  });

  test('no body needs no type; one of length 0 is none', async () => {
    for (const headers of [
      { 'content-length': '0' },
      { 'content-length': '0', 'content-type': 'text/plain' },
    ]) {
      const again = await world.login(ada);
      expect(
        (
          await send('POST', '/v1/auth/logout', {
            ...headers,
            authorization: `Bearer ${again.token}`,
          })
        ).status,
      ).toBe(200);
    }
  });

  test('calls of OAuth read forms, and no JSON', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' };
    expect(await send('POST', '/v1/oauth/revoke', form, 'token=none')).toMatchObject({
      status: 200,
      text: '{"receipt":null}',
    });
    expectRefusal(
      await send(
        'POST',
        '/v1/oauth/revoke',
        { 'content-type': 'application/json' },
        '{"token":"none"}',
      ),
      'invalid_request',
      415,
    );
    expectRefusal(
      await send('POST', '/v1/oauth/events', { 'content-type': 'application/jwt' }, 'a.b.c'),
      'invalid_request',
      415,
    );
  });

  test('a call that reads no body refuses every one, so that nothing is asked for in vain', async () => {
    for (const [method, path] of [
      ['GET', '/v1/me'],
      ['DELETE', `/v1/rooms/${room}`],
    ] as const) {
      expectRefusal(
        await send(method, path, { 'content-type': 'application/json' }, '{"wait":false}'),
        'invalid_request',
        415,
      );
    }
    expect(
      (await send('GET', `/v1/rooms/${room}`, { 'content-type': 'application/json' })).status,
    ).toBe(200);
  });
});

describe('a frame is kept or refused, never thinned out', () => {
  const json = { 'content-type': 'application/json' };
  const BODIES = [
    '{"constructor":1}',
    '{"prototype":{"a":1}}',
    '{"__proto__":{"a":1}}',
    '{"a":[{"__proto__":{"constructor":{"prototype":null}}}]}',
  ];

  test.each(BODIES)(
    'published and edited by REST, the body %s comes back as it was sent',
    async (body) => {
      const path = `/v1/rooms/${room}/messages`;
      const published = await send('POST', path, json, `{"body":${body}}`);
      expect(published.status).toBe(201);
      const { message_id } = JSON.parse(published.text);
      expect((await send('GET', `${path}?limit=1`)).text).toContain(`"body":${body}`);
      const edited = body.replace('1', '2').replace('null', 'true');
      expect(
        (await send('PATCH', `${path}/${message_id}`, json, `{"body":${edited}}`)).status,
      ).toBe(200);
      expect((await send('GET', `${path}?limit=1`)).text).toContain(`"body":${edited}`);
    },
  );

  const WITH_BODY = OPERATIONS.filter(
    ({ body, consumes, auth, path }) =>
      body !== undefined && consumes === undefined && (auth === 'public' || !path.includes('{')),
  );
  test.each(WITH_BODY.map(({ method, path }) => [method.toUpperCase(), path]))(
    '%s %s knows no field __proto__, constructor or prototype',
    async (method, path) => {
      for (const field of ['__proto__', 'constructor', 'prototype']) {
        const answer = await send(
          method,
          path,
          json,
          `{"${field}":{"a":1}${path === '/v1/rooms' ? ',"visibility":"private"' : ''}}`,
        );
        expectRefusal(answer, 'invalid_request', 422);
        expect(JSON.parse(answer.text).errors).toContainEqual({
          path: field,
          message: 'unknown field',
        });
      }
    },
  );
});

describe('the name of an unknown field is repeated only when it looks like one', () => {
  const errorsOf = async (field: string) => {
    const answer = await send(
      'POST',
      '/v1/auth/logout',
      { 'content-type': 'application/json' },
      JSON.stringify({ [field]: 1 }),
    );
    expectRefusal(answer, 'invalid_request', 422);
    return JSON.parse(answer.text).errors;
  };

  test('of a body', async () => {
    expect(await errorsOf('remember_me2')).toEqual([
      { path: 'remember_me2', message: 'unknown field' },
    ]);
    expect(await errorsOf('a'.repeat(64))).toEqual([
      { path: 'a'.repeat(64), message: 'unknown field' },
    ]);
    for (const field of [
      'a'.repeat(65),
      'correct horse',
      'pass-word!',
      'ünïcode',
      '',
      'a.b',
      `wr_tk_${'A'.repeat(43)}`,
    ]) {
      expect([field, await errorsOf(field)]).toEqual([
        field,
        [{ path: '', message: 'unknown field' }],
      ]);
    }
  });

  test('of a query', async () => {
    const query = async (name: string) =>
      JSON.parse((await send('GET', `/v1/rooms?${encodeURIComponent(name)}=1`)).text).errors;
    expect(await query('page')).toEqual([{ path: 'page', message: 'unknown field' }]);
    expect(await query('correct horse')).toEqual([{ path: '', message: 'unknown field' }]);
  });
});
