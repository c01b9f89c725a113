/** Commands that the console offers to copy, its URLs, and the pages of each role. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import type { Me } from '@wardroom/client';
import { hashOf, placeOf } from '../../../../web/model/console/place.js';
import { cliOf, curlOf, withQuery } from '../../../../web/model/console/rest.js';
import { Rights } from '../../../../web/model/console/rights.js';

const words = (command: string): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

describe('a copied command', () => {
  test.each([
    ["it's", "it's"],
    ['$(reboot) `reboot` "x"', '$(reboot) `reboot` "x"'],
    ['two\nlines', 'two\nlines'],
    ['; rm -rf / #', '; rm -rf / #'],
    ['\\', '\\'],
  ])('hands the shell the reason %j as one word', (reason, word) => {
    expect(words(cliOf(['revoke'], { user: 'u-1', reason }))).toEqual([
      'npx',
      'wardroom',
      'revoke',
      '--user',
      'u-1',
      '--reason',
      word,
    ]);
  });

  test('as curl names the token by a variable, and holds the body as sent', () => {
    const body = { user: 'u', reason: "it's\nover" };
    const text = curlOf('https://x.example', { method: 'POST', path: '/v1/y', body });
    expect(text).toContain('Bearer $WARDROOM_TOKEN');
    const parts = words(text.replace('"Authorization: Bearer $WARDROOM_TOKEN"', 'token'));
    expect(JSON.parse(parts[parts.indexOf('-d') + 1]!)).toEqual(body);
    expect(parts.at(-1)).toBe('https://x.example/v1/y');
  });

  test('leaves out what has no value', () => {
    expect(cliOf(['sessions'], { q: 'ben@acme.example', tenant: undefined, ip: '' })).toBe(
      'npx wardroom sessions --q ben@acme.example',
    );
    expect(withQuery('/v1/x', { a: undefined, b: '' })).toBe('/v1/x');
  });
});

describe('the place in the console', () => {
  test('goes into the URL and comes back the same', () => {
    const place = {
      page: 'sessions',
      id: 'a/b',
      fields: { q: 'ben@acme.example & co', ip: '::1' },
    };
    expect(placeOf(hashOf(place))).toEqual(place);
  });

  test.each(['', '#', '#/', '#/?', '/'])('is the sessions for %j', (hash) => {
    expect(placeOf(hash)).toEqual({ page: 'sessions', id: '', fields: {} });
  });

  test('of a broken or endless URL leaves out what cannot be read', () => {
    expect(placeOf(`#/why/%E0%A4%A?q=${'x'.repeat(301)}&ip=1`)).toEqual({
      page: 'why',
      id: '',
      fields: { ip: '1' },
    });
  });
});

describe('the pages of', () => {
  const rights = (role: Me['role']) =>
    new Rights({
      user_id: 'u',
      tenant_id: 't',
      session_id: 's',
      tenant: { id: 't', slug: 't', name: 'T' },
      role,
      email: null,
      name: null,
      avatar: null,
      status: null,
    });
  const pages = (role: Me['role']) => rights(role).pages.map(({ page }) => page);

  test('an operator and an auditor are the same, and only one of them changes anything', () => {
    expect(pages('auditor')).toEqual(pages('operator'));
    expect(pages('operator')).toContain('config');
    for (const action of ['revoke_sessions', 'sign_review', 'withdraw_key'] as const) {
      expect(rights('operator').may(action, { tenantId: 'other' })).toBe(true);
      expect(rights('auditor').may(action, { tenantId: 'other' })).toBe(false);
    }
  });

  test('an admin of a tenant are about that tenant alone', () => {
    expect(pages('admin')).toEqual([
      'sessions',
      'why',
      'people',
      'invites',
      'rooms',
      'services',
      'try-as',
      'audit',
    ]);
    expect(rights('admin').may('revoke_sessions')).toBe(true);
    expect(rights('admin').may('revoke_sessions', { tenantId: 'other' })).toBe(false);
  });

  test.each(['member', 'guest', 'service'] as const)('a %s are none', (role) => {
    expect([pages(role), rights(role).entitled]).toEqual([[], false]);
  });
});
