/**
 * RFC 8414, 7662 and 7009 on two nodes: metadata that is true, introspection for who may ask,
 * revocation for who holds a token.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, operator, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let admin: SignedIn;
beforeAll(async () => {
  world = await World.create();
  admin = await world.user('admin', 'admin');
});

const post = (
  path: string,
  form: Record<string, string> | string,
  token?: string,
  base = nodeA(),
) => {
  const request = supertest(base).post(path).type('form');
  return (token === undefined ? request : request.set('authorization', `Bearer ${token}`)).send(
    form,
  );
};
const introspect = (token: string, caller: string) =>
  post('/v1/oauth/introspect', { token }, caller, nodeB());
const revoke = (token: string, base = nodeA()) =>
  post(
    '/v1/oauth/revoke',
    { token, token_type_hint: 'refresh_token', client_id: 'x' },
    undefined,
    base,
  );
const INACTIVE = { active: false };

describe('metadata', () => {
  test('names endpoints that are there, and the issuer that our tokens name', async () => {
    const { body } = await call(nodeA(), '/.well-known/oauth-authorization-server');
    const [, claims] = admin.token.split('.');
    expect(body.issuer).toBe(JSON.parse(Buffer.from(claims!, 'base64url').toString()).iss);
    const endpoints = Object.entries(body as Record<string, unknown>).filter(([name]) =>
      /_endpoint$|_uri$|_documentation$/.test(name),
    );
    expect(endpoints.map(([name]) => name).sort()).toEqual([
      'introspection_endpoint',
      'jwks_uri',
      'revocation_endpoint',
      'service_documentation',
    ]);
    for (const [name, url] of endpoints) {
      const path = String(url).replace(body.issuer, '');
      const { status } = await fetch(nodeB() + path, {
        method: name.endsWith('_endpoint') ? 'POST' : 'GET',
      });
      expect([name, status]).toEqual([
        name,
        { introspection_endpoint: 401, revocation_endpoint: 400 }[name] ?? 200,
      ]);
    }
    expect(body).toMatchObject({
      response_types_supported: [],
      grant_types_supported: [],
      introspection_endpoint_auth_methods_supported: ['Bearer'],
    });
  });
});

describe('introspection', () => {
  test('tells an operator, and an admin of its tenant, whose token it is and until when', async () => {
    const user = await world.user('u');
    for (const caller of [admin.token, await operator()]) {
      const access = await introspect(user.token, caller);
      expect(access.status).toBe(200);
      expect(access.headers['cache-control']).toBe('no-store');
      expect(access.body).toMatchObject({
        active: true,
        token_type: 'Bearer',
        sub: user.id,
        tid: world.tenant.id,
        sid: user.session,
        jti: expect.any(String),
      });
      expect(access.body.exp - access.body.iat).toBeGreaterThan(30);
      const refresh = await introspect(user.refresh, caller);
      expect(refresh.body).toMatchObject({ active: true, sub: user.id, sid: user.session });
      expect(refresh.body).not.toHaveProperty('token_type');
    }
  });

  test('says of a token of another tenant, and of no token, that it is not active, and nothing else', async () => {
    const other = await World.create();
    const foreigner = await other.user('f');
    for (const token of [
      foreigner.token,
      foreigner.refresh,
      'nothing',
      `${foreigner.token}x`,
      `wr_rt_${'A'.repeat(92)}`,
    ]) {
      expect((await introspect(token, admin.token)).body).toEqual(INACTIVE);
    }
    expect((await introspect(foreigner.token, await operator())).body.active).toBe(true);
  });

  test('says it of every token of a session that ended, and of a refresh token that was replaced and whose successor was used', async () => {
    const user = await world.user('u');
    const { body: next } = await call(nodeA(), '/v1/auth/refresh', {
      body: { refresh_token: user.refresh },
    });
    expect((await introspect(user.refresh, admin.token)).body.active).toBe(true);
    await call(nodeA(), '/v1/auth/refresh', { body: { refresh_token: next.refresh_token } });
    expect((await introspect(user.refresh, admin.token)).body).toEqual(INACTIVE);
    await call(nodeA(), '/v1/auth/logout', { token: user.token, body: {} });
    for (const token of [user.token, next.access_token, next.refresh_token])
      expect((await introspect(token, admin.token)).body).toEqual(INACTIVE);
  });

  test('is not for members, nor for strangers; a request without a token is invalid in the words of OAuth', async () => {
    const member = await world.user('m');
    expect(await introspect(admin.token, member.token)).toMatchObject({
      status: 403,
      body: { code: 'role_required' },
    });
    const stranger = await post('/v1/oauth/introspect', { token: admin.token });
    expect(stranger).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': expect.stringContaining('Bearer') },
    });
    for (const form of [{}, { token: '' }, 'token=a&token=b']) {
      const answer = await post('/v1/oauth/introspect', form, admin.token);
      expect(answer).toMatchObject({
        status: 400,
        body: { error: 'invalid_request', error_description: expect.stringContaining('token') },
      });
      expect(answer.headers['content-type']).toContain('application/json');
    }
  });
});

describe('revocation', () => {
  test.each(['token', 'refresh'] as const)(
    'the holder of the %s ends its session: sockets close on every node, other sessions stay',
    async (which) => {
      const user = await world.user('u');
      const phone = await world.login(user);
      const [socket, other] = [
        await RawClient.live(wsUrl(nodeB()), user.token),
        await RawClient.live(wsUrl(nodeB()), phone.token),
      ];
      const { status, body } = await revoke(user[which]);
      expect(status).toBe(200);
      expect(body.receipt).toMatchObject({ effective: true, sessions: 1, connections_closed: 1 });
      expect(await socket.closed).toMatchObject({
        code: 1008,
        reason: { code: 'session_revoked' },
      });
      for (const base of [nodeA(), nodeB()]) {
        expect((await call(base, '/v1/me', { token: user.token, expect: 401 })).body.code).toBe(
          'session_revoked',
        );
        expect(
          (
            await call(base, '/v1/auth/refresh', {
              body: { refresh_token: user.refresh },
              expect: 401,
            })
          ).body.code,
        ).toBe('session_revoked');
      }
      await other.settled();
      other.close();
    },
  );

  test('a refresh token that was replaced ends its session, too: whoever has it could do so by using it', async () => {
    const user = await world.user('u');
    const { body: next } = await call(nodeA(), '/v1/auth/refresh', {
      body: { refresh_token: user.refresh },
    });
    expect((await revoke(user.refresh)).body.receipt).toMatchObject({
      effective: true,
      sessions: 1,
    });
    expect(
      (await call(nodeA(), '/v1/me', { token: next.access_token, expect: 401 })).body.code,
    ).toBe('session_revoked');
  });

  test('answers 200 for what is no living token, and ends nothing', async () => {
    const user = await world.user('u');
    const forged = `wr_rt_${Buffer.concat([Buffer.of(1), Buffer.from(user.session.replaceAll('-', ''), 'hex'), Buffer.alloc(52)]).toString('base64url')}`;
    for (const token of ['nothing', forged, `${user.token.slice(0, -4)}AAAA`, 'wr_tk_x']) {
      expect(await revoke(token)).toMatchObject({ status: 200, body: { receipt: null } });
    }
    await call(nodeA(), '/v1/me', { token: user.token });
    expect((await revoke(user.token)).body.receipt.sessions).toBe(1);
    expect((await revoke(user.token, nodeB())).body).toEqual({ receipt: null });
    expect(await post('/v1/oauth/revoke', {})).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });
});
