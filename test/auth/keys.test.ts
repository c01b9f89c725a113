/** Signing keys: algorithm, age, retirement, and the command line. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';
import { headerOf, kidOf, listKeys, runKeys } from '../support/keys-cli.js';
import { query } from '../support/sql.js';
import type { Cluster } from '../support/node-process.js';
import { startCluster, startNode } from '../support/node-process.js';
import { World, call } from '../support/world.js';

const kidsIn = async (base: string): Promise<string[]> =>
  (await call(base, '/.well-known/jwks.json')).body.keys.map((key: { kid: string }) => key.kid);

let ofFile: Cluster;
beforeAll(async () => {
  ofFile = await startCluster(1, { SIGNING_ALG: 'RS256' });
});

describe('SIGNING_ALG', () => {
  test('RS256: other services verify our tokens from the JWKS, and a token cannot choose its algorithm', async () => {
    const { nodes, env } = ofFile;
    const base = nodes[0]!.url;
    const world = await World.create({ base });
    const { token } = await world.user('u');
    expect(headerOf(token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    const verified = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(`${base}/.well-known/jwks.json`)),
      {
        issuer: env['PUBLIC_URL']!,
        algorithms: ['RS256'],
      },
    );
    expect(verified.payload['tid']).toBe(world.tenant.id);
    const [, claims, signature] = token.split('.');
    for (const alg of ['ES256', 'PS256', 'HS256', 'none']) {
      const header = Buffer.from(JSON.stringify({ ...headerOf(token), alg })).toString('base64url');
      expect(
        (await call(base, '/v1/me', { token: `${header}.${claims}.${signature}`, expect: 401 }))
          .body.code,
      ).toBe('auth_invalid');
    }
  });

  test('another algorithm begins with the next key; both are accepted by every node meanwhile', async () => {
    const { nodes, env } = await startCluster(1, {
      AUTHORITY_LEASE_MS: '1000',
      KEY_ANNOUNCE_SECONDS: '3',
    });
    const rs = { ...env, SIGNING_ALG: 'RS256' };
    const second = await startNode(rs);
    const world = await World.create({ base: second.url });
    const before = await world.user('u');
    expect(headerOf(before.token).alg).toBe('ES256');
    expect((await runKeys(rs, 'rotate')).stdout).toContain('Announced RS256 key');
    let after = before;
    while (headerOf(after.token).alg !== 'RS256') {
      await sleep(250);
      after = await world.login(before, nodes[0]!.url);
    }
    for (const { url } of [nodes[0]!, second])
      for (const { token } of [before, after]) await call(url, '/v1/me', { token });
  });
});

test('nodes that find the key older than KEY_ROTATION_DAYS announce one successor together; with 0 they do not', async () => {
  const { nodes, databaseUrl, env } = await startCluster(1, { KEY_ROTATION_DAYS: '0' });
  const [first] = await listKeys(databaseUrl);
  await query(
    databaseUrl,
    `UPDATE signing_keys SET created_at = created_at - interval '31 days', signs_from = signs_from - interval '31 days'`,
  );
  await startNode(env);
  expect(await listKeys(databaseUrl)).toHaveLength(1);
  const thirty = { ...env, KEY_ROTATION_DAYS: '30' };
  const young = await Promise.all([startNode(thirty), startNode(thirty)]);
  while ((await kidsIn(nodes[0]!.url)).length < 2) await sleep(50);
  for (const node of young) while ((await kidsIn(node.url)).length < 2) await sleep(50);
  const keys = await listKeys(databaseUrl);
  expect(keys.map(({ state }) => state)).toEqual(['signing', 'announced']);
  expect(keys[0]).toMatchObject({ kid: first!.kid, retiredAt: keys[1]!.signsFrom });
  expect(keys[1]!.signsFrom.getTime() - Date.now()).toBeGreaterThan(300_000);
  await startNode(thirty);
  expect(await listKeys(databaseUrl)).toHaveLength(2);
}, 60_000);

test('a retired key verifies until its last token is dead, and then nothing', async () => {
  const { nodes, databaseUrl, env } = await startCluster(2, {
    AUTHORITY_LEASE_MS: '1000',
    KEY_ANNOUNCE_SECONDS: '3',
  });
  const bases = nodes.map((node) => node.url);
  const world = await World.create({ base: bases[0]! });
  const user = await world.user('u');
  const old = kidOf(user.token);
  const retire = async (ago: string) => {
    if ((await listKeys(databaseUrl)).length === 1) await runKeys(env, 'rotate');
    await query(
      databaseUrl,
      `UPDATE signing_keys SET retired_at = clock_timestamp() - $2::interval WHERE kid = $1`,
      [old, ago],
    );
    await query(
      databaseUrl,
      `UPDATE signing_keys SET signs_from = clock_timestamp() - interval '1 minute', retired_at = NULL WHERE kid <> $1`,
      [old],
    );
    const count = (await listKeys(databaseUrl)).length;
    // Nodes read the table again with the next announcement.
    await runKeys(env, 'rotate');
    for (const base of bases)
      while ((await kidsIn(base)).filter((kid) => kid !== old).length < count) await sleep(50);
  };
  await retire('905 seconds');
  for (const base of bases) {
    await call(base, '/v1/me', { token: user.token });
    expect(await kidsIn(base)).toContain(old);
  }
  await retire('31 minutes');
  for (const base of bases) {
    expect((await call(base, '/v1/me', { token: user.token, expect: 401 })).body.code).toBe(
      'auth_invalid',
    );
    expect(await kidsIn(base)).not.toContain(old);
  }
  expect((await listKeys(databaseUrl)).find(({ kid }) => kid === old)).toMatchObject({
    state: 'retired',
  });
}, 60_000);

describe('npm run keys', () => {
  test('says how it is used, refuses what it does not know, and prints no secret', async () => {
    const { env } = ofFile;
    const wrong = [['dance'], ['rotate', 'x'], ['withdraw']];
    for (const answer of await Promise.all(wrong.map((args) => runKeys(env, ...args)))) {
      expect(answer).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Usage: npm run keys/),
      });
    }
    expect(await runKeys(env, 'withdraw', 'A'.repeat(43))).toMatchObject({
      code: 1,
      stderr: 'There is no such key.\n',
    });
    const { SECRET_KEY: secret, ...without } = env;
    expect(await runKeys(without, 'list')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('SECRET_KEY: is required'),
    });
    const { code, stdout } = await runKeys(env, 'list');
    const [head, row, ...more] = stdout.trimEnd().split('\n');
    expect([code, head, more]).toEqual([
      0,
      'kid\talg\tstate\tcreated\tsigns from\tretires\twithdrawn',
      [],
    ]);
    expect(row).toMatch(/^[\w-]{43}\tRS256\tsigning\t[\d:.TZ-]+\t[\d:.TZ-]+\t-\t-$/);
    expect(stdout).not.toContain(secret);
  }, 60_000);
});
