/** docs/sdk-reference.md names everything that can be called and heard. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as sdk from '@wardroom/client';
import { CoreClient } from '../../sdk/src/client.js';
import { Room } from '../../sdk/src/room/room.js';
import { harness } from './harness.js';

const h = harness();
const page = readFileSync(new URL('../../docs/sdk-reference.md', import.meta.url), 'utf8');

/** The names of the first column of a generated table. */
function named(table: string): string[] {
  const [, text] = page.split(`<!-- generated:${table} -->`);
  const rows = text!.split('<!-- /generated -->')[0]!.matchAll(/^\| `([\w.]+)/gm);
  return [...rows].map(([, name]) => name!);
}

const methods = (...prototypes: object[]) =>
  prototypes
    .flatMap((prototype) => Object.getOwnPropertyNames(prototype))
    .filter((name) => name !== 'constructor');

test.each<[string, () => string[]]>([
  ['sdk-client', () => methods(CoreClient.prototype, sdk.WardroomClient.prototype)],
  ['sdk-session', () => methods(sdk.WardroomSession.prototype)],
  [
    'sdk-room',
    () => methods(Room.prototype, Object.getPrototypeOf(h.client().room('x')) as object),
  ],
  ['sdk-timeline', () => methods(Object.getPrototypeOf(h.client().room('x').timeline()) as object)],
  ['sdk-people', () => methods(Object.getPrototypeOf(h.client().room('x').people()) as object)],
  ['sdk-rooms', () => methods(Object.getPrototypeOf(h.client().rooms()) as object)],
])('%s names every public method', (table, find) => {
  const inner = new Set(['newRoom', 'read', 'start', 'stop']);
  const known = table === 'sdk-room' ? new Set<string>() : inner;
  const missing = find().filter((name) => !known.has(name) && !named(table).includes(name));
  expect(missing).toEqual([]);
});

test('sdk-api names every call', () => {
  const { api } = h.client();
  const calls = Object.entries(api).flatMap(([group, inner]) =>
    Object.keys(inner as object).map((name) => `${group}.${name}`),
  );
  expect(calls.length).toBeGreaterThan(20);
  expect(
    [...calls, 'me', 'updateMe', 'changePassword'].filter(
      (name) => !named('sdk-api').includes(name),
    ),
  ).toEqual([]);
});

test('the guide names every code of the SDK', () => {
  const guide = readFileSync(new URL('../../docs/sdk.md', import.meta.url), 'utf8');
  for (const code of Object.keys(sdk.CLIENT_CODES)) expect(guide).toContain(`\`${code}\``);
});
