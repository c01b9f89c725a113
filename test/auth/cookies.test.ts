/** Contract section 2: tokens in cookies, and what an unsafe call with them has to prove. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const ORIGIN = 'https://app.example.com';

interface Jar {
  /** The `Cookie` header. */
  cookie: string;
  csrf: string;
  lines: string[];
}

const jarOf = (headers: Headers): Jar => {
  const lines = headers.getSetCookie();
  const pairs = lines.map((line) => line.split(';')[0]!);
  return {
    lines,
    cookie: pairs.join('; '),
    csrf: pairs.find((pair) => pair.startsWith('wr_csrf='))!.slice('wr_csrf='.length),
  };
};

let world: World;
let user: SignedIn;
beforeAll(async () => {
  world = await World.create();
  user = await world.user('u');
});

async function signIn(): Promise<Jar> {
  const { body, headers } = await call(nodeA(), '/v1/auth/login', {
    body: {
      tenant: world.tenant.slug,
      email: user.email,
      password: user.password,
      transport: 'cookie',
    },
    headers: { origin: ORIGIN },
  });
  expect(Object.keys(body).sort()).toEqual([
    'expires_in',
    'refresh_after_ms',
    'session_id',
    'token_type',
  ]);
  return jarOf(headers);
}

const ticket = (headers: Record<string, string>, expected: number) =>
  call(nodeB(), '/v1/auth/ticket', { method: 'POST', headers, expect: expected });

describe('cookies', () => {
  test('over http in development carry no prefix; all are SameSite=Strict, only wr_csrf is readable', async () => {
    const { lines } = await signIn();
    const line = (name: string) => lines.find((candidate) => candidate.startsWith(`${name}=`))!;
    expect(line('wr_at')).toMatch(/; Path=\/;.*HttpOnly; SameSite=Strict$/);
    expect(line('wr_rt')).toMatch(/; Path=\/v1\/auth;.*HttpOnly; SameSite=Strict$/);
    expect(line('wr_csrf')).toMatch(/; Path=\/;.*SameSite=Strict$/);
    expect(line('wr_csrf')).not.toMatch(/HttpOnly/);
    expect(lines.join()).not.toMatch(/Secure/);
  });

  test('over https carry prefixes and are Secure', async () => {
    const node = await startNode({ PUBLIC_URL: 'https://rooms.example.com' });
    const own = await World.create({ base: node.url });
    const { email, password } = await own.user('u');
    const { headers } = await call(node.url, '/v1/auth/login', {
      body: { tenant: own.tenant.slug, email, password, transport: 'cookie' },
      headers: { origin: 'https://rooms.example.com' },
    });
    const { lines } = jarOf(headers);
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual([
      '__Host-wr_at',
      '__Secure-wr_rt',
      'wr_csrf',
    ]);
    for (const line of lines) expect(line).toMatch(/; Secure/);
  });

  test('with a path in PUBLIC_URL both tokens are sent below it only; wr_csrf is for scripts of the whole host', async () => {
    for (const [publicUrl, names] of [
      ['https://rooms.example.com/chat', ['__Secure-wr_at', '__Secure-wr_rt']],
      ['http://rooms.example.com/chat/', ['wr_at', 'wr_rt']],
    ] as const) {
      const node = await startNode({ PUBLIC_URL: publicUrl });
      const own = await World.create({ base: node.url });
      const { email, password } = await own.user('u');
      const { headers } = await call(node.url, '/v1/auth/login', {
        body: { tenant: own.tenant.slug, email, password, transport: 'cookie' },
        headers: { origin: new URL(publicUrl).origin },
      });
      const { lines } = jarOf(headers);
      const pathOf = (name: string) =>
        /; Path=([^;]*)/.exec(lines.find((line) => line.startsWith(`${name}=`))!)![1];
      expect([pathOf(names[0]), pathOf(names[1]), pathOf('wr_csrf')]).toEqual([
        '/chat',
        '/chat/v1/auth',
        '/',
      ]);
      const { body: metadata } = await call(node.url, '/.well-known/oauth-authorization-server');
      expect(metadata).toMatchObject({
        issuer: publicUrl.replace(/\/$/, ''),
        jwks_uri: `${publicUrl.replace(/\/$/, '')}/.well-known/jwks.json`,
      });
      expect((await call(node.url, '/asyncapi.json')).body.servers.node).toMatchObject({
        host: 'rooms.example.com',
        pathname: '/chat',
      });
      expect((await call(node.url, '/openapi.json')).body.servers).toEqual([
        { url: metadata.issuer },
      ]);
    }
  });

  test('authenticate safe calls alone', async () => {
    const { cookie } = await signIn();
    expect((await call(nodeB(), '/v1/me', { headers: { cookie } })).body.user_id).toBe(user.id);
  });

  test('are not looked at when an Authorization header is there', async () => {
    const { cookie } = await signIn();
    expect(
      (
        await call(nodeA(), '/v1/me', {
          headers: { cookie, authorization: 'Bearer x' },
          expect: 401,
        })
      ).body.code,
    ).toBe('auth_invalid');
  });
});

describe('an unsafe call with cookies', () => {
  test('passes with the CSRF token and an allowed Origin, or with Sec-Fetch-Site: same-origin', async () => {
    const { cookie, csrf } = await signIn();
    await ticket({ cookie, 'x-csrf-token': csrf, origin: ORIGIN }, 200);
    await ticket({ cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-origin' }, 200);
  });

  test.each([
    ['nothing', () => ({})],
    ['no CSRF token', () => ({ origin: ORIGIN })],
    ['no Origin', ({ csrf }: Jar) => ({ 'x-csrf-token': csrf })],
    [
      'a foreign Origin',
      ({ csrf }: Jar) => ({ 'x-csrf-token': csrf, origin: 'https://evil.example.com' }),
    ],
    ['an opaque Origin', ({ csrf }: Jar) => ({ 'x-csrf-token': csrf, origin: 'null' })],
    [
      'a foreign Origin that claims to be the same',
      ({ csrf }: Jar) => ({
        'x-csrf-token': csrf,
        origin: 'https://evil.example.com',
        'sec-fetch-site': 'same-origin',
      }),
    ],
    [
      'Sec-Fetch-Site: same-site',
      ({ csrf }: Jar) => ({ 'x-csrf-token': csrf, 'sec-fetch-site': 'same-site' }),
    ],
    ['another CSRF token', () => ({ 'x-csrf-token': 'wr_csrf_x', origin: ORIGIN })],
  ])('with %s is csrf_failed', async (_name, headers: (jar: Jar) => object) => {
    const jar = await signIn();
    const { body } = await ticket(
      { cookie: jar.cookie, ...(headers(jar) as Record<string, string>) },
      403,
    );
    expect(body).toMatchObject({ code: 'csrf_failed', action: 'none' });
  });

  test('with the CSRF cookie of another session, planted, is csrf_failed', async () => {
    const [mine, planted] = await Promise.all([signIn(), signIn()]);
    const cookie = mine.cookie.replace(mine.csrf, planted.csrf);
    expect(
      (await ticket({ cookie, 'x-csrf-token': planted.csrf, origin: ORIGIN }, 403)).body.code,
    ).toBe('csrf_failed');
  });

  test('with a second access cookie, planted beside ours, is nobody`s', async () => {
    const { cookie, csrf } = await signIn();
    expect(
      (
        await ticket(
          { cookie: `wr_at=planted; ${cookie}`, 'x-csrf-token': csrf, origin: ORIGIN },
          401,
        )
      ).body.code,
    ).toBe('auth_missing');
  });
});

describe('the life of a cookie session', () => {
  test('a refresh answers in cookies; a logout clears them', async () => {
    const jar = await signIn();
    const proof = { origin: ORIGIN, 'x-csrf-token': jar.csrf };
    expect(
      (
        await call(nodeA(), '/v1/auth/refresh', {
          method: 'POST',
          headers: { cookie: jar.cookie },
          expect: 403,
        })
      ).body.code,
    ).toBe('csrf_failed');
    const refreshed = await call(nodeB(), '/v1/auth/refresh', {
      method: 'POST',
      headers: { cookie: jar.cookie, ...proof },
    });
    expect(refreshed.body).not.toHaveProperty('access_token');
    expect(refreshed.body).not.toHaveProperty('refresh_token');
    const next = jarOf(refreshed.headers);
    expect(next.cookie).not.toBe(jar.cookie);
    const out = await call(nodeA(), '/v1/auth/logout', {
      method: 'POST',
      headers: { cookie: next.cookie, ...proof },
    });
    expect(out.body.sessions).toBe(1);
    for (const line of out.headers.getSetCookie()) expect(line).toMatch(/^[a-z_]+=; Max-Age=0/);
    await call(nodeA(), '/v1/me', { headers: { cookie: next.cookie }, expect: 401 });
  });

  test('two tabs that refresh at once get the same cookies, in whatever order the answers come', async () => {
    const jar = await signIn();
    const headers = { cookie: jar.cookie, origin: ORIGIN, 'x-csrf-token': jar.csrf };
    const answers = await Promise.all(
      [nodeA(), nodeB(), nodeA(), nodeB()].map((node) =>
        call(node, '/v1/auth/refresh', { method: 'POST', headers }),
      ),
    );
    const renewed = answers.map((answer) => /wr_rt=([^;]+)/.exec(jarOf(answer.headers).cookie)![1]);
    expect(new Set(renewed).size).toBe(1);
    for (const answer of answers)
      await call(nodeB(), '/v1/me', { headers: { cookie: jarOf(answer.headers).cookie } });
  });

  test('a lost race never clears a cookie: not that of a tab that signed in again meanwhile', async () => {
    const jar = await signIn();
    const proof = { origin: ORIGIN, 'x-csrf-token': jar.csrf };
    const refresh = (headers: Record<string, string>, expected: number) =>
      call(nodeA(), '/v1/auth/refresh', {
        method: 'POST',
        headers: { cookie: jar.cookie, ...headers },
        expect: expected,
      });
    await call(nodeA(), '/v1/auth/logout', {
      method: 'POST',
      headers: { cookie: jar.cookie, ...proof },
    });
    const again = await signIn();
    const late = await refresh(proof, 401);
    expect(late.body.code).toBe('session_revoked');
    expect(late.headers.getSetCookie()).toEqual([]);
    expect((await refresh({}, 403)).headers.getSetCookie()).toEqual([]);
    await call(nodeB(), '/v1/me', { headers: { cookie: again.cookie } });
  });

  test('its connection is opened by the cookie and renewed in place by a ticket, bound to the page', async () => {
    const jar = await signIn();
    const socket = await RawClient.open(wsUrl(nodeB()), {
      origin: ORIGIN,
      headers: { cookie: jar.cookie },
    });
    const first = await socket.next('auth_ok');
    const refreshed = await call(nodeA(), '/v1/auth/refresh', {
      method: 'POST',
      headers: { cookie: jar.cookie, origin: ORIGIN, 'x-csrf-token': jar.csrf },
    });
    const next = jarOf(refreshed.headers);
    const issued = await ticket(
      { cookie: next.cookie, origin: ORIGIN, 'x-csrf-token': next.csrf },
      200,
    );
    const renewed = await socket.ask({ type: 'auth_refresh', ticket: issued.body.ticket });
    expect(renewed).toMatchObject({
      type: 'auth_ok',
      session_id: first.session_id,
      user_id: user.id,
    });
    expect((await socket.ask({ type: 'auth_refresh', ticket: issued.body.ticket })).code).toBe(
      'auth_invalid',
    );
    await socket.settled();
    socket.close();
  });

  test('a foreign page cannot sign its visitor in', async () => {
    const body = {
      tenant: world.tenant.slug,
      email: user.email,
      password: user.password,
      transport: 'cookie',
    };
    const { body: problem } = await call(nodeA(), '/v1/auth/login', {
      body,
      headers: { origin: 'https://evil.example.com' },
      expect: 403,
    });
    expect(problem.code).toBe('csrf_failed');
  });
});

describe('CORS', () => {
  const ask = (path: string, init: RequestInit) => fetch(nodeA() + path, init);

  test('with credentials is for allowed origins only, named one by one', async () => {
    const headersOf = async (origin: string) =>
      (await ask('/v1/me', { headers: { origin } })).headers;
    const allowed = await headersOf(ORIGIN);
    expect(allowed.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.get('access-control-allow-credentials')).toBe('true');
    expect(allowed.get('vary')).toMatch(/Origin/);
    for (const origin of [
      'https://evil.example.com',
      'null',
      'http://app.example.com',
      'https://app.example.com.evil.com',
      'https://app.example.com:444',
    ]) {
      const headers = await headersOf(origin);
      expect([origin, headers.get('access-control-allow-origin')]).toEqual([origin, null]);
    }
  });

  test('a preflight from elsewhere is told nothing; from an allowed page it names the CSRF header', async () => {
    const preflight = (origin: string) =>
      ask('/v1/auth/refresh', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-csrf-token',
        },
      });
    const allowed = await preflight(ORIGIN);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/X-CSRF-Token/);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(
      (await preflight('https://evil.example.com')).headers.get('access-control-allow-origin'),
    ).toBeNull();
  });
});
