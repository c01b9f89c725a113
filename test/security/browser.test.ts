/**
 * Cross-site WebSocket hijacking and request forgery, tried from a real browser. A user is signed
 * in with cookies at `chat.wardroom.test`. Three foreign pages want to act as this user: one of the
 * same host at another port (it gets the cookies and can even read `wr_csrf`), one of a sibling
 * host (it gets the cookies), one of another site (it gets none).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { freePort } from '../../scripts/stores/machine.mjs';
import { CHROMIUM, Chromium, chromiumPath } from '../support/chromium.js';
import type { Page } from '../support/chromium.js';
import { describeWith } from '../support/needs.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

const path = chromiumPath();
const described = describeWith(CHROMIUM, 'what a real browser can do');

/** The server of foreign pages; it also records the headers of a browser's upgrade. */
let server: Server;
let upgrades: IncomingMessage[];
let pagesPort: number;
let node: NodeProcess;
let chat: string;
let app: Page;
let ada: SignedIn;
let tenant: string;

/** In a page: what became of a WebSocket. */
const socket = (url: string): string => `new Promise((done) => {
  const frames = [];
  const ws = new WebSocket(${JSON.stringify(url)}, 'wardroom.v1');
  ws.onmessage = ({ data }) => { frames.push(JSON.parse(data)); if (frames.at(-1).type === 'auth_ok') ws.close(1000); };
  ws.onclose = ({ code, reason }) => done({ code, reason, types: frames.map(({ type }) => type), frames });
})`;

/** In a page: what became of a call; \`unreadable\` when the browser keeps the answer to itself. */
const fetched = (url: string, options: object = {}): string =>
  `fetch(${JSON.stringify(url)}, ${JSON.stringify({ credentials: 'include', ...options })}).then(async (r) => ({ status: r.status, text: await r.text() }), () => 'unreadable')`;

const post = (body: object, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const wsOf = (url: string): string => `${url.replace(/^http/, 'ws')}/v1/ws`;

async function counted(name: string): Promise<number> {
  const text = await (await fetch(`${node.internalUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length));
}

async function startPages(): Promise<void> {
  upgrades = [];
  server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>a page</title>'),
  );
  server.on('upgrade', (request: IncomingMessage, peer: Socket) => {
    upgrades.push(request);
    peer.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  pagesPort = (server.address() as AddressInfo).port;
}

described('a signed-in user of a real browser', () => {
  let browser: Chromium;

  beforeAll(async () => {
    await startPages();
    const port = String(await freePort());
    chat = `http://chat.wardroom.test:${port}`;
    node = await startNode({
      PORT: port,
      PUBLIC_URL: chat,
      ALLOWED_ORIGINS: `http://app.wardroom.test:${pagesPort}`,
    });
    const world = await World.create({ base: node.url });
    tenant = world.tenant.slug;
    ada = await world.user('ada');
    browser = await Chromium.start(path!);
    app = await browser.page(`http://app.wardroom.test:${pagesPort}/`);
  }, 90_000);

  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  test('signs in from a page of an allowed origin, which sees none of the tokens', async () => {
    const login = { tenant, email: ada.email, password: ada.password, transport: 'cookie' };
    const { status, text } = await app.run(fetched(`${chat}/v1/auth/login`, post(login)));
    expect({ status, text }).toEqual({ status: 200, text: expect.not.stringContaining('token"') });
    const me = await app.run(fetched(`${chat}/v1/me`));
    expect(JSON.parse(me.text)).toMatchObject({ user_id: ada.id });
    expect(await app.run('document.cookie')).toBe('');
  });

  test('connects from there with the cookie alone', async () => {
    const { code, types } = await app.run(socket(wsOf(chat)));
    expect({ code, types }).toEqual({ code: 1000, types: ['hello', 'auth_ok'] });
  });

  test('at the origin of the server itself only wr_csrf can be read, and calls with it are let in', async () => {
    const own = await browser.page(`${chat}/livez`);
    const cookies = await own.run<string>('document.cookie');
    expect(cookies.split('; ').map((pair) => pair.split('=')[0])).toEqual(['wr_csrf']);
    const csrf = cookies.slice('wr_csrf='.length);
    expect(
      await own.run(fetched('/v1/auth/ticket', post({}, { 'x-csrf-token': csrf }))),
    ).toMatchObject({ status: 200 });
    expect(await own.run(fetched('/v1/auth/ticket', post({})))).toMatchObject({
      status: 403,
      text: expect.stringContaining('csrf_failed'),
    });
  });

  describe.each([
    ['of the same host, another port', 'chat.wardroom.test', { cookies: true, csrf: true }],
    ['of a sibling host', 'evil.wardroom.test', { cookies: true, csrf: false }],
    ['of another site', 'evil.example.test', { cookies: false, csrf: false }],
  ])('a foreign page %s', (_, host, gets) => {
    let evil: Page;

    beforeAll(async () => {
      evil = await browser.page(`http://${host}:${pagesPort}/`);
    });

    test(`${gets.cookies ? 'makes the browser send' : 'cannot make the browser send'} the cookies`, async () => {
      upgrades.length = 0;
      await evil.run(socket(`ws://chat.wardroom.test:${pagesPort}/v1/ws`));
      expect(upgrades).toHaveLength(1);
      expect(upgrades[0]!.headers.cookie?.includes('wr_at=') ?? false).toBe(gets.cookies);
      expect(await evil.run<string>('document.cookie')).toEqual(
        gets.csrf ? expect.stringMatching(/^wr_csrf=[^;]+$/) : '',
      );
    });

    test('opens no WebSocket: refused before the upgrade because of its Origin, whatever it adds', async () => {
      const refused = await counted(
        'wardroom_handshakes_total{outcome="origin_refused",phase="upgrade"}',
      );
      const { ticket } = JSON.parse((await ownTicket()).text);
      for (const url of [
        wsOf(chat),
        `${wsOf(chat)}?auth=message`,
        `${wsOf(chat)}?ticket=${ticket}`,
      ]) {
        expect(await evil.run(socket(url))).toMatchObject({ code: 1006, types: [] });
      }
      expect(
        await counted('wardroom_handshakes_total{outcome="origin_refused",phase="upgrade"}'),
      ).toBe(refused + 3);
    });

    test('reads no answer', async () => {
      for (const route of ['/v1/me', '/v1/rooms', '/v1/auth/sessions'])
        expect(await evil.run(fetched(chat + route))).toBe('unreadable');
    });

    test('changes nothing: neither by fetch, with and without a preflight, nor by a form', async () => {
      const csrf = gets.csrf
        ? (await evil.run<string>('document.cookie')).slice('wr_csrf='.length)
        : 'wr_csrf_guessed';
      for (const route of ['/v1/auth/logout', '/v1/auth/refresh', '/v1/auth/ticket', '/v1/rooms']) {
        expect(await evil.run(fetched(chat + route, post({}, { 'x-csrf-token': csrf })))).toBe(
          'unreadable',
        );
        expect(
          await evil.run(fetched(chat + route, { method: 'POST', mode: 'no-cors', body: '{}' })),
        ).toBe('unreadable');
      }
      await evil.run(`new Promise((done) => {
        const frame = Object.assign(document.createElement('iframe'), { name: 'f' });
        const form = Object.assign(document.createElement('form'), { method: 'post', action: ${JSON.stringify(`${chat}/v1/auth/logout`)}, target: 'f' });
        document.body.append(frame, form);
        frame.addEventListener('load', () => done());
        form.submit();
      })`);
      expect(await app.run(fetched(`${chat}/v1/me`))).toMatchObject({
        status: 200,
        text: expect.stringContaining(ada.id),
      });
      const { code } = await app.run(socket(wsOf(chat)));
      expect(code).toBe(1000);
    });

    test('signs the visitor in as nobody else', async () => {
      const login = JSON.stringify({
        tenant,
        email: ada.email,
        password: ada.password,
        transport: 'cookie',
      });
      const before = await sessions();
      await evil.run(
        fetched(`${chat}/v1/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: login,
        }),
      );
      await evil.run(
        fetched(`${chat}/v1/auth/login`, { method: 'POST', mode: 'no-cors', body: login }),
      );
      expect(await sessions()).toEqual(before);
    });

    async function ownTicket(): Promise<{ text: string }> {
      const own = await browser.page(`${chat}/livez`);
      const csrf = (await own.run<string>('document.cookie')).slice('wr_csrf='.length);
      return own.run(fetched('/v1/auth/ticket', post({}, { 'x-csrf-token': csrf })));
    }

    async function sessions(): Promise<string[]> {
      const { text } = await app.run(fetched(`${chat}/v1/auth/sessions`));
      return JSON.parse(text).items.map(({ id }: { id: string }) => id);
    }
  });
});
