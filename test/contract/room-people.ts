/** Calls of four people of one tenant, for the tests of rooms. */
import { expect } from '@jest/globals';
import { World, call, nodeA } from '../support/world.js';
import type { CallOptions, SignedIn } from '../support/world.js';

export interface RoomPeople {
  world: World;
  owner: SignedIn;
  member: SignedIn;
  stranger: SignedIn;
  /** Of the tenant. */
  admin: SignedIn;
}

export async function roomPeople(): Promise<RoomPeople> {
  const world = await World.create({ tenant: { allow_guests: true } });
  const [owner, member, stranger] = (await world.users('owner', 'member', 'stranger')) as [
    SignedIn,
    SignedIn,
    SignedIn,
  ];
  return { world, owner, member, stranger, admin: await world.user('admin', 'admin') };
}

export const as = (user: SignedIn, path: string, options: CallOptions = {}, base = nodeA()) =>
  call(base, path, { ...options, token: user.token });
export const patch = (user: SignedIn, path: string, body: unknown, expect?: number) =>
  as(user, path, { method: 'PATCH', body, ...(expect === undefined ? {} : { expect }) });
export const remove = (user: SignedIn, path: string, expect?: number) =>
  as(user, path, { method: 'DELETE', ...(expect === undefined ? {} : { expect }) });
export const codeOf = async (answer: Promise<{ body: { code?: string } }>) =>
  (await answer).body.code;
export const effective = {
  effective: true,
  state: 'effective',
  nodes: expect.arrayContaining([expect.objectContaining({ state: 'confirmed' })]),
};
