/** `GET /v1/users`, `PATCH /v1/me`: the people of a tenant (contract section 8). */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { World, call, nodeA, nodeB, operator } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

let world: World;
let boss: SignedIn;
let ada: SignedIn;
let ben: SignedIn;

beforeAll(async () => {
  world = await World.create({ tenant: { allow_guests: true } });
  boss = await world.user('boss', 'admin');
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
});

const people = async (user: SignedIn, query = '', base = nodeB()) =>
  (await call(base, `/v1/users${query}`, { token: user.token })).body;
const find = (user: SignedIn, q: string) => people(user, `?q=${encodeURIComponent(q)}`);
const namesOf = ({ items }: { items: { name: string }[] }) => items.map(({ name }) => name);
const idsOf = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id);
const rename = (user: SignedIn, fields: object, expect?: number) =>
  call(nodeA(), '/v1/me', {
    method: 'PATCH',
    token: user.token,
    body: fields,
    ...(expect === undefined ? {} : { expect }),
  });
const setState = (user: SignedIn, state: 'active' | 'suspended') =>
  call(nodeA(), `/v1/admin/users/${user.id}`, {
    method: 'PATCH',
    token: world.operator(),
    body: { state },
  });

/** A tenant of its own with these people. */
async function crowd(...names: string[]): Promise<{ world: World; users: SignedIn[] }> {
  const apart = await World.create();
  const users: SignedIn[] = [];
  for (const name of names) {
    const user = await apart.user('p');
    await rename(user, { name });
    users.push(user);
  }
  return { world: apart, users };
}

/** Every page of a list, one after the other. */
async function pages(user: SignedIn, query: string): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { items: { name: string }[]; next_cursor: string | null } = await people(
      user,
      `${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    names.push(...namesOf(page));
    cursor = page.next_cursor;
  }
  return names;
}

describe('the directory', () => {
  test('lists the people of the tenant in the order of names, page by page, each once', async () => {
    const { users } = await crowd('dora', 'Carl', 'bea', 'Ada', 'bea', 'Émile');
    const all = ['Ada', 'bea', 'bea', 'Carl', 'dora', 'Émile'];
    expect(namesOf(await people(users[0]!))).toEqual(all);
    for (const limit of [1, 2, 3, 6])
      expect(await pages(users[0]!, `?limit=${limit}`)).toEqual(all);
  });

  test.each([
    ['ÖZIL', 'özil'],
    ['ｏｚ', 'Oz the Great'],
    ['STRASSE', 'Straßer'],
    ['ﬁn', 'Finn'],
    ['jose\u0301', 'José'],
    ['ΣΑΣ', 'σασα'],
    ['50%', '50% Ada'],
    ['a_b', 'a_b'],
    ['\\', '\\o/'],
  ])(
    'finds by the beginning of a name, in NFKC and without regard to case: %s',
    async (q, name) => {
      const { users } = await crowd(name, 'a person', `not ${name}`);
      expect(namesOf(await find(users[1]!, q))).toEqual([name]);
    },
  );

  test('shows the profile of each, and addresses to admins alone', async () => {
    await rename(ben, { avatar: 'https://example.com/ben.png', status: 'at lunch' });
    const shown = {
      id: ben.id,
      name: 'ben',
      avatar: 'https://example.com/ben.png',
      status: 'at lunch',
      state: 'active',
    };
    expect((await find(ada, 'BEN')).items).toEqual([shown]);
    expect((await find(boss, 'BEN')).items).toEqual([{ ...shown, email: ben.email }]);
    expect((await call(nodeB(), `/v1/users/${ben.id}`, { token: ada.token })).body).toEqual(shown);
    expect((await call(nodeB(), `/v1/users/${ben.id}`, { token: boss.token })).body).toEqual({
      ...shown,
      email: ben.email,
    });
  });

  test('finds by the beginning of an address for an admin, and by a whole one for all', async () => {
    const beginning = ben.email.slice(0, 8).toUpperCase();
    expect(idsOf(await find(boss, beginning))).toEqual([ben.id]);
    expect(idsOf(await find(ada, beginning))).toEqual([]);
    expect(idsOf(await find(ada, ben.email.slice(0, -1)))).toEqual([]);
    expect(idsOf(await find(ada, ben.email.toUpperCase()))).toEqual([ben.id]);
  });

  test('gives people who are found by name and address once, names first', async () => {
    const { world: apart } = await crowd();
    const chief = await apart.user('chief', 'admin');
    const both = await Promise.all([apart.user('ruth'), apart.user('rudi')]);
    await rename(both[0]!, { name: 'Anna' });
    for (const limit of [1, 2, 3])
      expect(await pages(chief, `?q=ru&limit=${limit}`)).toEqual(['rudi', 'Anna']);
  });

  test('keeps the name of who is suspended, or has left every room', async () => {
    const gone = await world.user('gone');
    await setState(gone, 'suspended');
    const { body } = await call(nodeB(), `/v1/users/${gone.id}`, { token: ada.token });
    expect(body).toMatchObject({ id: gone.id, name: 'gone', state: 'suspended' });
    expect((await find(ada, 'gone')).items).toMatchObject([{ state: 'suspended' }]);
  });

  test('knows nobody of another tenant, by no name, address or id', async () => {
    const { users } = await crowd('stranger');
    const [stranger] = users as [SignedIn];
    expect(idsOf(await find(boss, 'stranger'))).toEqual([]);
    expect(idsOf(await find(boss, stranger.email))).toEqual([]);
    expect(namesOf(await people(stranger))).toEqual(['stranger']);
    for (const by of ['name', 'email'])
      expect(await people(boss, `?q=b&cursor=${by}_${stranger.id}`)).toEqual({
        items: [],
        next_cursor: null,
      });
    const { body } = await call(nodeB(), `/v1/users/${stranger.id}`, {
      token: boss.token,
      expect: 404,
    });
    expect(body.code).toBe('not_found');
  });

  test('records the look of an admin, who is shown addresses', async () => {
    await find(boss, 'ada');
    const { body } = await call(
      nodeA(),
      `/v1/admin/audit?event=data_read&tenant=${world.tenant.id}`,
      { token: world.operator() },
    );
    expect(body.items).toContainEqual(
      expect.objectContaining({ actor_id: boss.id, detail: { what: 'users', id: null } }),
    );
  });

  test.each([
    ['a guest', async () => (await guest()).access_token],
    ['an operator', () => operator()],
  ])('is refused to %s with role_required', async (_who, tokenOf) => {
    const token = await tokenOf();
    for (const path of ['/v1/users', `/v1/users/${ada.id}`]) {
      const { body } = await call(nodeB(), path, { token, expect: 403 });
      expect(body).toMatchObject({ code: 'role_required', decision_id: expect.any(String) });
    }
  });

  test('is refused to whoever was suspended, on both nodes', async () => {
    const late = await world.user('late');
    await people(late);
    await setState(late, 'suspended');
    for (const base of [nodeA(), nodeB()]) {
      const { body } = await call(base, '/v1/users', { token: late.token, expect: 401 });
      expect(body.code).toBe('user_suspended');
    }
  });

  test.each(['?q=', `?q=${'x'.repeat(101)}`, '?cursor=name_1', '?limit=201', '?q=%00', '?r=1'])(
    '%s is refused with invalid_request',
    async (query) => {
      const { body } = await call(nodeB(), `/v1/users${query}`, { token: ada.token, expect: 422 });
      expect(body.code).toBe('invalid_request');
    },
  );
});

const guest = async () =>
  (await call(nodeA(), '/v1/auth/guest', { body: { tenant: world.tenant.slug } })).body;

describe('the own profile', () => {
  test('is changed field by field, and shown by GET /v1/me on the other node', async () => {
    const user = await world.user('carl');
    const first = { name: 'Carl C.', avatar: 'https://example.com/c', status: 'here' };
    expect((await rename(user, first)).body).toMatchObject({ ...first, user_id: user.id });
    await rename(user, { status: null });
    const after = { ...first, status: null };
    expect((await call(nodeB(), '/v1/me', { token: user.token })).body).toMatchObject(after);
    await rename(user, { avatar: null });
    expect((await call(nodeB(), '/v1/me', { token: user.token })).body).toMatchObject({
      ...after,
      avatar: null,
    });
  });

  test('is recorded in the audit by its fields, and not by their text', async () => {
    const user = await world.user('dana');
    await rename(user, { name: 'Dana', status: 'secret plan' });
    await rename(user, { name: 'Dana' });
    const { body } = await call(nodeA(), `/v1/admin/audit?event=user_updated&user=${user.id}`, {
      token: world.operator(),
    });
    expect(body.items.map(({ detail }: { detail: unknown }) => detail)).toEqual([
      { fields: ['name', 'status'] },
    ]);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['a blank name', { name: ' \u200b ' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['no name', { name: null }],
    ['a picture over http', { avatar: 'http://example.com/a.png' }],
    ['a picture that is code', { avatar: 'javascript:alert(1)' }],
    ['a picture with a password', { avatar: 'https://me:secret@example.com/a.png' }],
    ['a long picture', { avatar: `https://example.com/${'a'.repeat(1000)}` }],
    ['a long status', { status: 'x'.repeat(141) }],
    ['an empty status', { status: '' }],
    ['a role', { role: 'admin' }],
    ['a state', { state: 'active' }],
    ['an address', { email: 'other@example.com' }],
  ])('does not take %s', async (_what, fields) => {
    expect((await rename(ada, fields, 422)).body.code).toBe('invalid_request');
    expect((await find(ada, 'ada')).items).toMatchObject([{ name: 'ada', avatar: null }]);
  });

  test('is none of a guest, nor of an operator', async () => {
    const token = (await guest()).access_token as string;
    expect((await rename({ ...ada, token }, { name: 'x' }, 403)).body.code).toBe('guest_read_only');
    const operatorToken = await operator();
    expect((await rename({ ...ada, token: operatorToken }, { name: 'x' }, 403)).body.code).toBe(
      'role_required',
    );
  });
});
