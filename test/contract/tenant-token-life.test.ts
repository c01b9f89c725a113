/** A tenant's own access token life (contract section 10). */
import { describe, expect, test } from '@jest/globals';
import { RawClient } from '../support/raw-client.js';
import { World, call, nodeA, nodeB, operator, wsUrl } from '../support/world.js';

describe('a tenant with a token life of its own', () => {
  test('gets tokens that live no longer, on every node and at every refresh, and the usual ones when it is taken back', async () => {
    const world = await World.create();
    const token = await operator();
    const patch = (seconds: number | null) =>
      call(nodeA(), `/v1/admin/tenants/${world.tenant.id}`, {
        method: 'PATCH',
        token,
        body: { access_ttl_seconds: seconds },
      });
    const ada = await world.user('ada');
    expect((await patch(6)).body).toMatchObject({
      tenant: { access_ttl_seconds: 6 },
      receipt: null,
    });
    const login = await call(nodeB(), '/v1/auth/login', {
      body: { tenant: world.tenant.slug, email: ada.email, password: ada.password },
    });
    expect(login.body.expires_in).toBeLessThanOrEqual(6);
    const refreshed = await call(nodeA(), '/v1/auth/refresh', {
      body: { refresh_token: login.body.refresh_token },
    });
    expect(refreshed.body.expires_in).toBeLessThanOrEqual(6);
    const client = await RawClient.live(wsUrl(nodeA()), refreshed.body.access_token);
    // Warned in the second half of this life, whatever AUTH_WARNING_SECONDS says.
    expect((await client.next('auth_expiring_soon')).expires_in_ms).toBeLessThanOrEqual(3_000);
    client.close();
    expect((await patch(null)).body.tenant.access_ttl_seconds).toBeNull();
    const usual = await call(nodeB(), '/v1/auth/refresh', {
      body: { refresh_token: refreshed.body.refresh_token },
    });
    expect(usual.body.expires_in).toBeGreaterThan(60);
  });

  test.each([4, 901, 10.5, '10'])('does not take %j', async (seconds) => {
    const world = await World.create();
    const { body } = await call(nodeA(), `/v1/admin/tenants/${world.tenant.id}`, {
      method: 'PATCH',
      token: await operator(),
      body: { access_ttl_seconds: seconds },
      expect: 422,
    });
    expect(body.errors).toEqual([expect.objectContaining({ path: 'access_ttl_seconds' })]);
  });
});
