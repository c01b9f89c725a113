/** The calls and events of the Python client, from one real node to another. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { testWith } from '../support/needs.js';
import { call, nodeA, nodeB, operator, World } from '../support/world.js';
import { CLIENT, NEEDS_PYTHON, PYTHON, pythonEnv } from './python.js';

testWith(NEEDS_PYTHON, 'the tour of the Python client')(
  'two clients on two nodes hear what each does, over a renewed token and a lost connection',
  async () => {
    const world = await World.create({ tenant: { allow_guests: true } });
    const { email, password } = await world.user('ada', 'admin');
    await call(nodeA(), `/v1/admin/tenants/${world.tenant.id}`, {
      method: 'PATCH',
      token: await operator(),
      body: { access_ttl_seconds: 5 },
    });
    const place = { a: nodeA(), b: nodeB(), tenant: world.tenant.slug, owner: { email, password } };
    const { stdout } = await promisify(execFile)(PYTHON, ['-m', 'tests.tour'], {
      cwd: CLIENT,
      env: { ...pythonEnv(), TOUR: JSON.stringify(place) },
    });
    expect(stdout.trim().split('\n')).toEqual([
      'invitations into a tenant and a room',
      'messages, edits, reactions, signals, threads, read markers, presence, deletions',
      'a token that is renewed on the living connection',
      'events of the time without a connection',
      'a right that is taken at once',
      'a member that is removed: removed',
      'a guest',
      'a logout: signed_out',
    ]);
  },
  60_000,
);
