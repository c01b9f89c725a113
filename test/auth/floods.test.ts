/**
 * Crowds and floods: what guesses, registers or looks in too often is held, and nobody else
 * notices.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { PASSWORD, outcome, post } from '../support/sign-in.js';
import { World, unique } from '../support/world.js';

describe('a crowd that guesses', () => {
  let base: string;
  let own: World;
  beforeAll(async () => {
    base = (
      await startCluster(1, { LOGIN_FAILURES_PER_MINUTE: '2', TRUSTED_PROXIES: '127.0.0.1/32' })
    ).nodes[0]!.url;
    own = await World.create({ base });
  });
  const from = (ip: string, user: { email: string }, password: string) =>
    outcome(
      base,
      '/v1/auth/login',
      { tenant: own.tenant.slug, email: user.email, password },
      { 'x-forwarded-for': ip },
    );

  test('at one user from ever new addresses is held; where they have signed in before they come in, and other users do not notice', async () => {
    const [victim, other] = await own.users('victim', 'other');
    expect(await from('198.51.100.7', victim!, victim!.password)).toBe('ok');
    const guesses = [];
    for (let i = 0; i < 25; i += 1) guesses.push(await from(`203.0.113.${i}`, victim!, 'wrong'));
    expect(guesses.slice(0, 20)).toEqual(Array(20).fill('invalid_credentials'));
    expect(guesses.slice(20)).toEqual(Array(5).fill('rate_limited'));
    // Also a right guess tells the crowd nothing.
    expect(await from('203.0.113.99', victim!, victim!.password)).toBe('rate_limited');
    expect(await from('198.51.100.7', victim!, victim!.password)).toBe('ok');
    expect(await from('203.0.113.99', other!, other!.password)).toBe('ok');
  });

  test('at a user who does not exist is held at the same count', async () => {
    const guesses = [];
    for (let i = 0; i < 21; i += 1)
      guesses.push(await from(`203.0.113.${i}`, { email: 'nobody@example.com' }, 'wrong'));
    expect(guesses).toEqual([...Array(20).fill('invalid_credentials'), 'rate_limited']);
  });
});

describe('a flood of', () => {
  let nodes: string[];
  let own: World;
  beforeAll(async () => {
    nodes = (
      await startCluster(2, { LOGIN_FAILURES_PER_MINUTE: '1', TRUSTED_PROXIES: '127.0.0.1/32' })
    ).nodes.map(({ url }) => url);
    own = await World.create({
      base: nodes[0]!,
      tenant: { allow_guests: true, allow_registration: true },
    });
  });
  const from = (i: number, ip: string, path: string, body: object) =>
    outcome(nodes[i % 2]!, path, { tenant: own.tenant.slug, ...body }, { 'x-forwarded-for': ip });
  const registration = (i: number) => ({
    email: `${unique('r')}${i}@example.com`,
    password: PASSWORD,
  });

  test.each([
    ['guests', '/v1/auth/guest', () => ({}), '192.0.2.1'],
    ['registrations', '/v1/auth/register', registration, '192.0.2.2'],
    [
      'registrations for tenants that are not there',
      '/v1/auth/register',
      (i: number) => ({ ...registration(i), tenant: `no-${i}` }),
      '192.0.2.3',
    ],
  ])(
    '%s from one address is held on two nodes together; users there sign in, other addresses come in',
    async (_name, path, body, ip) => {
      const user = await own.user('u');
      const answers = [];
      for (let i = 0; i < 14; i += 1) answers.push(await from(i, ip, path, body(i)));
      expect(answers.slice(10)).toEqual(Array(4).fill('rate_limited'));
      expect(answers.slice(0, 10)).not.toContain('rate_limited');
      expect(
        await from(0, ip, '/v1/auth/login', { email: user.email, password: user.password }),
      ).toBe('ok');
      expect(await from(1, '192.0.2.200', path, body(99))).toBe(answers[0]);
    },
  );

  test('guests of one tenant from a hundred addresses is held for that tenant; registrations, users and other tenants are not', async () => {
    const other = await World.create({ base: nodes[0]!, tenant: { allow_guests: true } });
    const flooded = await World.create({
      base: nodes[0]!,
      tenant: { allow_guests: true, allow_registration: true },
    });
    const user = await flooded.user('u');
    const guest = (i: number, world = flooded) =>
      from(i, `2001:db8:${i}::1`, '/v1/auth/guest', { tenant: world.tenant.slug });
    const answers = await Promise.all(Array.from({ length: 110 }, (_, i) => guest(i)));
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(100);
    expect(answers.filter((answer) => answer === 'rate_limited')).toHaveLength(10);
    expect(await guest(200, other)).toBe('ok');
    expect(
      await from(0, '192.0.2.9', '/v1/auth/register', {
        ...registration(0),
        tenant: flooded.tenant.slug,
      }),
    ).toBe('ok');
    expect(
      await from(0, '192.0.2.9', '/v1/auth/login', {
        tenant: flooded.tenant.slug,
        email: user.email,
        password: user.password,
      }),
    ).toBe('ok');
  });

  test('either kind is told when to come again', async () => {
    let response: Response;
    do
      response = await post(
        nodes[0]!,
        '/v1/auth/guest',
        { tenant: own.tenant.slug },
        { 'x-forwarded-for': '192.0.2.77' },
      );
    while (response.ok);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await response.json()).toMatchObject({
      code: 'rate_limited',
      action: 'retry',
      retry_after_ms: expect.any(Number),
    });
  });
});
