/** People and calls with a token, for the tests of operators and admins. */
import { expect } from '@jest/globals';
import { World, call, nodeA, nodeB, operator } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

/** An operator's token, a tenant with an admin and a member, and another tenant with a user. */
export async function operatorPeople() {
  const root = await operator();
  const [world, other] = await Promise.all([World.create(), World.create()]);
  const admin = await world.user('admin', 'admin');
  const member = await world.user('member');
  return { root, world, other, admin, member, foreigner: await other.user('foreigner') };
}

export const at = (token: string, path: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, path, { ...options, token });
export const post = (token: string, path: string, body: unknown, expect?: number) =>
  at(token, path, { body, ...(expect === undefined ? {} : { expect }) });
export const patch = (token: string, path: string, body: unknown, expect?: number) =>
  at(token, path, { method: 'PATCH', body, ...(expect === undefined ? {} : { expect }) });
export const codeOf = async (answer: Promise<{ body: { code?: string } }>) =>
  (await answer).body.code;
export const login = (tenant: string, { email, password }: SignedIn, expect?: number) =>
  call(nodeB(), '/v1/auth/login', {
    body: { tenant, email, password },
    ...(expect === undefined ? {} : { expect }),
  });
export const dead = async (token: string, code: string) => {
  for (const base of [nodeA(), nodeB()])
    expect(await codeOf(at(token, '/v1/me', { expect: 401 }, base))).toBe(code);
};
export const effective = { effective: true, state: 'effective' };
