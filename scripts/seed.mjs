/**
 * The demo tenant, made as an operator would make it: through the public REST API. Running it again
 * changes nothing.
 */

export const people = [
  { email: 'admin@demo.test', name: 'Admin', role: 'admin' },
  { email: 'ada@demo.test', name: 'Ada', role: 'member' },
  { email: 'ben@demo.test', name: 'Ben', role: 'member' },
];

/**
 * @param {string} url of the server
 * @param {{ email: string, password: string }} operator
 * @param {(email: string) => string} passwordOf
 * @returns {Promise<string[]>} the users whose password is no longer the one the launcher knows;
 * what needs them was left out
 */
export async function seed(url, operator, passwordOf) {
  const call = client(url);
  const unknown = [];
  const login = async (tenant, email, password) => {
    const answer = await call(
      'POST',
      '/v1/auth/login',
      { tenant, email, password, device: 'launcher' },
      undefined,
      ['invalid_credentials'],
    );
    if (answer.access_token === undefined) unknown.push(email);
    return answer.access_token;
  };
  const asOperator = await login('system', operator.email, operator.password);
  if (asOperator !== undefined) {
    await call(
      'POST',
      '/v1/admin/tenants',
      { slug: 'demo', name: 'Demo', allow_registration: true, allow_guests: true },
      asOperator,
      ['slug_taken'],
    );
    for (const { email, name, role } of people) {
      await call(
        'POST',
        '/v1/admin/tenants/demo/users',
        { email, password: passwordOf(email), name, role },
        asOperator,
        ['email_taken'],
      );
    }
  }
  const [admin, ada, ben] = await Promise.all(
    people.map(({ email }) => login('demo', email, passwordOf(email))),
  );
  if (admin !== undefined) {
    await call('POST', '/v1/rooms', { name: 'Lobby', slug: 'lobby', visibility: 'public' }, admin, [
      'slug_taken',
    ]);
    await call(
      'POST',
      '/v1/rooms',
      { name: 'Staff', slug: 'staff', visibility: 'private' },
      admin,
      ['slug_taken'],
    );
  }
  if (ada !== undefined) await call('POST', '/v1/rooms/lobby/join', {}, ada);
  if (ben !== undefined) await call('POST', '/v1/rooms/lobby/join', {}, ben);
  if (admin !== undefined && ada !== undefined) {
    const { items } = await call('GET', '/v1/rooms/staff/members', undefined, admin);
    const { user_id: user } = await call('GET', '/v1/me', undefined, ada);
    if (!items.some((member) => member.user_id === user))
      await call('POST', '/v1/rooms/staff/members', { user, role: 'member' }, admin);
  }
  if (ada !== undefined)
    await call('POST', '/v1/rooms/lobby/messages', { body: { text: 'hello' } }, ada, [], {
      'idempotency-key': 'seed-1',
    });
  if (ben !== undefined)
    await call('POST', '/v1/rooms/lobby/messages', { body: { text: 'hi ada' } }, ben, [], {
      'idempotency-key': 'seed-2',
    });
  for (const token of [asOperator, admin, ada, ben])
    if (token !== undefined) await call('POST', '/v1/auth/logout', {}, token);
  return unknown;
}

/**
 * Problems whose code is in `fine` are an answer. An error names the call and the code, never a
 * token.
 */
function client(url) {
  return async (method, path, body, token, fine = [], headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const answer = /** @type {Record<string, any>} */ (await response.json().catch(() => ({})));
    if (response.ok || fine.includes(answer.code)) return answer;
    throw new Error(
      `Seeding failed: ${method} ${path} answered ${response.status} ${answer.code ?? ''} ${answer.detail ?? answer.title ?? ''}`,
    );
  };
}
