/** CONNECT: a credential becomes the context of a WebSocket, on any node. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { connected } from '../support/sdk-client.js';
import { World, nodeA, nodeB } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

describe('connect', () => {
  let ada: SignedIn;

  beforeAll(async () => {
    ada = await (await World.create()).user('ada');
  });

  test('the SDK is live after auth_ok, which names session, user and tenant and says when to refresh', async () => {
    for (const base of [nodeA(), nodeB()]) {
      const client = await connected(base, ada);
      expect(client.state).toBe('live');
      expect(client.auth).toMatchObject({
        session_id: ada.session,
        user_id: ada.id,
        tenant_id: ada.tenant,
      });
      expect(client.auth!.refresh_after_ms).toBeGreaterThan(0);
      expect(client.auth!.refresh_before_ms).toBeGreaterThan(client.auth!.refresh_after_ms);
      expect(client.auth!.expires_in_ms).toBeGreaterThan(client.auth!.refresh_before_ms);
    }
  });

  test('a token that is none is told auth_invalid and login, and the SDK does not try again', async () => {
    await expect(
      connected(nodeA(), { ...ada, token: 'eyJhbGciOiJub25lIn0.e30.' }),
    ).rejects.toMatchObject({ code: 'auth_invalid', action: 'login' });
  });
});
