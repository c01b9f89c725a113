/**
 * P6 on a whole node that logs everything: every credential of a session is used in every place it
 * can go, well and badly, and then looked for in the logs, the metrics, the problems, the frames
 * and the close reasons.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { RawSocket, bytesOf } from '../protocol/raw-socket.js';
import { within } from '../protocol/harness.js';

const ORIGIN = 'https://app.example.com';
const WORDS = {
  body: 'canary-of-a-body',
  password: 'canary-of-a-password',
  text: 'canary-of-some-text',
};
/** All answers of the server, but for those that hand out tokens. */
const said: string[] = [];
/** Name and secret. */
const secrets = new Map<string, string>();
let node: NodeProcess;
let world: World;
let ada: SignedIn;
let logs: string;
let metrics: string;

beforeAll(async () => {
  node = await startNode({
    LOG_LEVEL: 'trace',
    QUERY_TOKEN: 'on',
    ALLOWED_ORIGINS: ORIGIN,
    LOGIN_FAILURES_PER_MINUTE: '3',
  });
  world = await World.create({ base: node.url, tenant: { allow_registration: true } });
  ada = await world.user('ada');
  keep('password', ada.password);
  keep('operator password', process.env['TEST_OPERATOR_PASSWORD']!);
  keepToken('access token', ada.token);
  keep('refresh token', ada.refresh);
  for (const [name, word] of Object.entries(WORDS)) keep(name, word);
  await useRest();
  await useSockets();
  await useCookies();
  metrics = await (await fetch(`${node.internalUrl}/metrics`)).text();
  await node.stop();
  logs = node.logs();
}, 60_000);

function keep(name: string, secret: string): void {
  secrets.set(name, secret);
}

/** Its parts are as good as the whole. */
function keepToken(name: string, token: string): void {
  token.split('.').forEach((part, i) => i > 0 && keep(`${name}, part ${i}`, part));
  keep(name, token);
}

async function ask(
  path: string,
  options: {
    method?: string;
    body?: unknown;
    headers?: Record<string, string>;
    token?: string;
  } = {},
): Promise<any> {
  const { body, headers = {}, token, method = body === undefined ? 'GET' : 'POST' } = options;
  const response = await fetch(node.url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) said.push(text, JSON.stringify([...response.headers]));
  return {
    ok: response.ok,
    json: text.startsWith('{') ? JSON.parse(text) : text,
    cookies: response.headers.getSetCookie(),
  };
}

async function useRest(): Promise<void> {
  const { slug: tenant } = world.tenant;
  const login = { tenant, email: ada.email, password: WORDS.password };
  for (let i = 0; i < 5; i += 1) await ask('/v1/auth/login', { body: login });
  await ask('/v1/auth/login', { body: `{"password":"${WORDS.password}",` });
  await ask('/v1/auth/login', { body: { ...login, extra: WORDS.text, [ada.token]: 1, device: 7 } });
  await ask('/v1/auth/login', { body: { ...login, tenant: ada.token } });
  await ask('/v1/auth/register', {
    body: { ...login, password: WORDS.password, [ada.refresh]: 1 },
  });
  await ask('/v1/auth/password', {
    token: ada.token,
    body: { current: WORDS.password, new: ada.password },
  });
  const { json } = await ask('/v1/auth/refresh', { body: { refresh_token: ada.refresh } });
  keep('successor', json.refresh_token);
  keepToken('second access token', json.access_token);
  await ask('/v1/auth/refresh', { body: { refresh_token: `${json.refresh_token}x` } });
  for (const path of [
    `/v1/rooms/${ada.token}`,
    `/v1/me?token=${ada.token}`,
    `/v1/${ada.refresh}`,
    `/v1/receipts/${ada.token}`,
  ])
    await ask(path, { token: ada.token });
  await ask('/v1/me', { headers: { authorization: ada.refresh } });
  await ask('/v1/me', { token: `${ada.token.slice(0, -4)}AAAA` });
  await ask('/v1/me', {
    headers: {
      'x-request-id': ada.token,
      'user-agent': ada.token,
      referer: `http://x/?token=${ada.token}`,
    },
  });
}

/** Opens, waits for the end of what it is about, and notes all that was said. */
async function socket(
  url: string,
  options: Parameters<typeof RawClient.open>[1] = {},
  act: (client: RawClient) => Promise<unknown> = async () => undefined,
): Promise<void> {
  try {
    const client = await RawClient.open(url, options);
    const over = act(client).then(() => client.ws.close(1000, ada.token.slice(0, 100)));
    await within(Promise.all([client.closed, over.catch(() => undefined)]), 'end of a socket');
    said.push(
      JSON.stringify(client.frames.filter(({ type }) => type !== 'message')),
      client.isClosed!.raw,
    );
  } catch (error) {
    said.push(JSON.stringify((error as { body?: unknown }).body ?? String(error)));
  }
}

async function useSockets(): Promise<void> {
  const { wsUrl: url } = node;
  const room = await world.room(ada);
  const ticket = async () => {
    const { json } = await ask('/v1/auth/ticket', { method: 'POST', token: ada.token });
    keep(`ticket ${secrets.size}`, json.ticket);
    return json.ticket as string;
  };
  const okay = (client: RawClient) => client.next('auth_ok');
  const bad = `${ada.token.slice(0, -4)}AAAA`;
  const [first, second] = [await ticket(), await ticket()];
  await socket(url, { token: ada.token }, okay);
  await socket(url, { protocols: ['wardroom.v1', `bearer.${ada.token}`] }, okay);
  await socket(`${url}?token=${ada.token}`, {}, okay);
  await socket(`${url}?ticket=${first}`, {}, okay);
  await socket(url, { origin: ORIGIN, headers: { cookie: `wr_at=${ada.token}` } }, okay);
  await socket(url, {}, (client) => client.ask({ type: 'auth', ticket: second }));
  await socket(url, { token: bad });
  await socket(url, { token: bad, origin: ORIGIN });
  await socket(url, { protocols: ['wardroom.v1', `bearer.${bad}`] });
  await socket(url, { protocols: [`bearer.${ada.token}`] });
  await socket(`${url}?token=${ada.token}&ticket=${first}`);
  await socket(`${url}?ticket=${first}`);
  await socket(`${url}/${ada.token}?token=${ada.token}`);
  await socket(url, { origin: 'https://not-allowed.example.com', token: ada.token });
  await socket(url, {}, async (client) => client.send({ type: 'auth', token: bad }));
  await socket(url, {}, async (client) => client.send(`${WORDS.body} ${ada.token}`));
  await socket(url, { token: ada.token }, async (client) => {
    await client.publish(room, { text: WORDS.body });
    await client.publish('no-such-room', WORDS.body);
    await client.ask({ type: 'auth_refresh', token: bad });
    await client.ask({ type: 'auth_refresh', ticket: first });
    await client.ask({ type: WORDS.text, token: ada.token });
    await client.ask({ type: 'ping', [ada.token]: WORDS.body });
    await client.ask({ type: 'subscribe', room, since: WORDS.text });
    await client.ask({ type: 'publish', room, op_id: 'o', body: `${WORDS.body}\0` });
    client.send(`{"type":"ping","${WORDS.body}`);
    await client.settled();
  });
  const raw = RawSocket.open(node.url, {
    headers: { Authorization: `Bearer ${ada.token}` },
    more: bytesOf(WORDS.body, { mask: false }),
  });
  await raw.ended;
  said.push(JSON.stringify(raw.frames), raw.close?.raw ?? '');
}

async function useCookies(): Promise<void> {
  const ben = await world.user('ben');
  const { cookies } = await ask('/v1/auth/login', {
    body: {
      tenant: world.tenant.slug,
      email: ben.email,
      password: ben.password,
      transport: 'cookie',
    },
    headers: { origin: ORIGIN },
  });
  const pairs = cookies.map((line: string) => line.split(';')[0]!);
  for (const pair of pairs) keep(`cookie ${pair.split('=')[0]}`, pair.split('=')[1]!);
  const headers = { cookie: pairs.join('; '), origin: ORIGIN };
  const csrf = pairs.find((pair: string) => pair.startsWith('wr_csrf='))!.slice(8);
  await ask('/v1/auth/ticket', { method: 'POST', headers });
  await ask('/v1/auth/refresh', {
    method: 'POST',
    headers: { ...headers, 'x-csrf-token': `${csrf}x` },
  });
  await ask('/v1/auth/logout', { method: 'POST', headers: { ...headers, 'x-csrf-token': csrf } });
  await ask('/v1/me', { headers });
}

describe('no secret that was used', () => {
  const found = (text: string) =>
    [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name);

  test('stands in a line of log, and the node did log what happened', () => {
    expect(logs).toContain('"msg":"request"');
    expect(logs).toContain('"msg":"connection closed"');
    expect(secrets.size).toBeGreaterThan(14);
    expect(found(logs)).toEqual([]);
  });

  test('stands in a metric', () => {
    expect(metrics).toContain('wardroom_handshakes_total');
    expect(found(metrics)).toEqual([]);
  });

  test('stands in a problem, an error frame or a close reason', () => {
    expect(said.length).toBeGreaterThan(30);
    expect(found(said.join('\n'))).toEqual([]);
  });
});

test('everything the node printed is a line of JSON with a level and a time', () => {
  for (const line of logs.split('\n').filter((text) => text !== ''))
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), time: expect.any(String) });
});

test('labels of metrics are bounded: codes, outcomes, types, methods, statuses; never an id or what a client sent', () => {
  const labels = new Set(
    [...metrics.matchAll(/^wardroom_\w+\{(.*)\} /gm)].flatMap(([, list]) =>
      [...list!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => `${name}=${value}`),
    ),
  );
  const bounded =
    /^(le|state|outcome|type|kind|code|via|reason|effective|method|status|space|version|major|minor|patch|side|phase|carrier|action|after)=[A-Za-z0-9_.+]{1,40}$/;
  expect([...labels].filter((label) => !bounded.test(label))).toEqual([]);
  expect([...labels]).toContain('outcome=accepted');
  expect(labels.size).toBeLessThan(400);
});
