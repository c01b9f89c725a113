/**
 * Withdrawing the signing key, on two nodes of its own: everybody is sent back with the refresh
 * token, nobody is locked out.
 */
import { expect, test } from '@jest/globals';
import { startCluster } from '../support/node-process.js';
import { call } from '../support/world.js';

test('a withdrawn key refuses what it signed on every node, and the next login is signed by another', async () => {
  const { nodes } = await startCluster(2);
  const [a, b] = nodes.map((node) => node.url) as [string, string];
  const login = async (base: string) =>
    (
      await call(base, '/v1/auth/login', {
        body: {
          tenant: 'system',
          email: process.env['TEST_OPERATOR_EMAIL'],
          password: process.env['TEST_OPERATOR_PASSWORD'],
        },
      })
    ).body;
  const signedIn = await login(a);
  const token = signedIn.access_token as string;
  const { body } = await call(a, '/v1/admin/keys', { token });
  const [key] = body.items as { kid: string }[];
  const receipt = await call(a, '/v1/admin/revocations', {
    token,
    body: { key: key!.kid, reason: 'leaked' },
    expect: 200,
  });
  expect(receipt.body).toMatchObject({
    effective: true,
    nodes: [expect.anything(), expect.anything()],
  });
  for (const base of [a, b]) {
    expect((await call(base, '/v1/me', { token, expect: 401 })).body).toMatchObject({
      code: 'token_revoked',
      action: 'refresh',
    });
  }
  const refreshed = await call(b, '/v1/auth/refresh', {
    body: { refresh_token: signedIn.refresh_token },
  });
  for (const base of [a, b]) {
    const { body: keys } = await call(base, '/v1/admin/keys', {
      token: refreshed.body.access_token,
    });
    expect(keys.items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kid: key!.kid, withdrawn_at: expect.any(String) }),
      ]),
    );
    expect(keys.items.length).toBe(2);
  }
});
