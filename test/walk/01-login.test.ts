/**
 * LOGIN: a session comes into being, is refreshed, is seen, and its keys can be checked by anyone.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { World, call, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('login', () => {
  let world: World;
  let ada: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    ada = await world.user('ada');
  });

  test('a login answers an access token of the documented shape, verifiable with the published keys', async () => {
    const jwks = createRemoteJWKSet(new URL(`${nodeA()}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(ada.token, jwks, { typ: 'at+jwt' });
    expect(Object.keys(payload).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
      'tid',
    ]);
    expect(decodeProtectedHeader(ada.token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({ sub: ada.id, sid: ada.session, tid: world.tenant.id });
  });

  test('a token from one node is accepted by the other', async () => {
    const { body } = await call(nodeB(), '/v1/me', { token: ada.token });
    expect(body).toMatchObject({ user_id: ada.id, role: 'member', session_id: ada.session });
  });

  test('a wrong password, an unknown user and an unknown tenant are told apart by nobody', async () => {
    const attempts = [
      { tenant: world.tenant.slug, email: ada.email, password: 'nobody-has-this-one' },
      { tenant: world.tenant.slug, email: 'nobody@example.com', password: 'nobody-has-this-one' },
      { tenant: 'no-such-tenant', email: ada.email, password: 'nobody-has-this-one' },
    ];
    for (const body of attempts) {
      const answer = await call(nodeA(), '/v1/auth/login', { body, expect: 401 });
      expect({ ...answer.body, request_id: '' }).toEqual({
        type: 'urn:wardroom:invalid_credentials',
        title: 'invalid credentials',
        status: 401,
        detail: 'Tenant, e-mail or password is wrong.',
        code: 'invalid_credentials',
        action: 'none',
        request_id: '',
      });
      expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    }
  });

  test('a refresh rotates; the immediately preceding token answers the same successor, an older one ends the session', async () => {
    const user = await world.login(ada);
    const refresh = (token: string, base: string, expectStatus?: number) =>
      call(base, '/v1/auth/refresh', {
        body: { refresh_token: token },
        ...(expectStatus === undefined ? {} : { expect: expectStatus }),
      });
    const first = await refresh(user.refresh, nodeA());
    const again = await refresh(user.refresh, nodeB());
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    const second = await refresh(first.body.refresh_token, nodeB());
    expect(second.body.session_id).toBe(user.session);
    const reuse = await refresh(user.refresh, nodeA(), 401);
    expect(reuse.body).toMatchObject({ code: 'token_reuse', action: 'login' });
    const after = await call(nodeB(), '/v1/me', { token: second.body.access_token, expect: 401 });
    expect(after.body.code).toBe('token_reuse');
  });

  test('my sessions are listed, and one of them can be ended from another', async () => {
    const ben = await world.user('ben');
    const phone = await world.login(ben);
    const { body } = await call(nodeA(), '/v1/auth/sessions', { token: ben.token });
    expect(body.items.map((item: { id: string }) => item.id).sort()).toEqual(
      [ben.session, phone.session].sort(),
    );
    const ended = await call(nodeA(), `/v1/auth/sessions/${phone.session}`, {
      method: 'DELETE',
      token: ben.token,
    });
    expect(ended.body).toMatchObject({ effective: true, state: 'effective', sessions: 1 });
    await call(nodeB(), '/v1/me', { token: phone.token, expect: 401 });
    await call(nodeB(), '/v1/me', { token: ben.token });
  });
});
