/** The pages of a node: which are served where, under which policy, and below which paths. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';

const PAGES = ['/chat', '/console', '/docs'];
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
/** At most, in bytes of gzip, SDK included. */
const BUDGETS = { '/chat': 60_000, '/console': 80_000, '/docs': 80_000 };

const get = (url: string) => fetch(url, { redirect: 'manual' });
const status = async (url: string) => (await get(url)).status;

/** An answer as it is on the wire. */
async function receive(url: string, accepted: string, more: object = {}, method = 'GET') {
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request(url, { method, headers: { ...more, 'accept-encoding': accepted } }, resolve)
      .on('error', reject)
      .end(),
  );
  return { status: answer.statusCode, headers: answer.headers, body: await buffer(answer) };
}

/** Every file that the page loads before anything is done in it. */
async function filesOf(url: string): Promise<string[]> {
  const html = await (await fetch(url)).text();
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => new URL(path!, url).href);
}

describe('a node in production', () => {
  let node: NodeProcess;
  beforeAll(async () => {
    node = await startNode(
      { NODE_ENV: 'production', PUBLIC_URL: 'https://chat.example.com' },
      { until: 'file' },
    );
  }, 60_000);

  test.each(PAGES)('serves %s under a strict policy, kept by no browser', async (path) => {
    const page = await get(node.url + path);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(page.headers.get('content-security-policy')).toBe(POLICY);
    expect(page.headers.get('cache-control')).toContain('no-store');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await page.text()).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=/i);
  });

  test.each(PAGES)('finds the files of %s from its deep paths, too', async (path) => {
    for (const deep of ['', '/', '/lobby', '/lobby/more']) {
      const files = await filesOf(node.url + path + deep);
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) expect([file, await status(file)]).toEqual([file, 200]);
    }
  });

  test('leads from / to the chat, by a link that works below a path prefix', async () => {
    const root = await get(node.url);
    expect([root.status, root.headers.get('location')]).toEqual([302, './chat']);
  });

  test('answers HEAD without a body, and no other method', async () => {
    const head = await fetch(`${node.url}/chat`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${node.url}/chat`, { method: 'POST' })).status).toBe(404);
  });

  test.each(['/chatty', '/chat.html', '/try.html', '/consoles', '/chat/%2e%2e/x', '/chat/<b>'])(
    'has nothing at %s',
    async (path) => {
      const found = await new Promise<number>((resolve, reject) =>
        request(node.url + path, ({ statusCode }) => resolve(statusCode!))
          .on('error', reject)
          .end(),
      );
      expect(found).toBe(404);
    },
  );

  test.each(PAGES)('sends %s within its budget of bytes', async (path) => {
    let bytes = 0;
    for (const file of [node.url + path, ...(await filesOf(node.url + path))])
      bytes += gzipSync(Buffer.from(await (await fetch(file)).arrayBuffer())).length;
    expect(bytes).toBeLessThanOrEqual(BUDGETS[path as keyof typeof BUDGETS]);
  });

  test.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
  ])('sends files as a browser that accepts "%s" can read them', async (accepted, sent, read) => {
    for (const file of (await filesOf(`${node.url}/chat`)).filter((url) => !url.endsWith('.svg'))) {
      const plain = await receive(file, 'identity');
      const packed = await receive(file, accepted);
      const isSmall = plain.body.length < 1_000;
      expect((isSmall ? packed.body : read(packed.body)).equals(plain.body)).toBe(true);
      expect(packed.headers).toMatchObject({
        'content-type': plain.headers['content-type'],
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
      });
      expect(packed.headers['content-encoding']).toBe(isSmall ? undefined : sent);
    }
  });

  test.each([
    ['a range behind its end', 416, { range: 'bytes=99999999-' }, 'GET'],
    ['a condition that does not hold', 412, { 'if-match': '"other"' }, 'GET'],
    ['a method that it does not have', 404, {}, 'POST'],
  ])('refuses %s of a packed file in plain words', async (_, refused, headers, method) => {
    const file = (await filesOf(`${node.url}/chat`)).find((url) => url.endsWith('.js'))!;
    const answer = await receive(file, 'br', headers, method);
    expect(answer.status).toBe(refused);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers.etag).toBeUndefined();
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status: refused, action: 'none' });
  });

  test('keeps the console from the internal listener, unless it is asked to serve it there', async () => {
    for (const path of ['/console', '/chat', '/v1/me'])
      expect(await status(node.internalUrl + path)).toBe(404);
  });
});

test('WEB=off serves no page, and / is nothing', async () => {
  const node = await startNode({ WEB: 'off' });
  for (const path of ['/', ...PAGES, '/assets/']) expect(await status(node.url + path)).toBe(404);
  expect(await status(`${node.url}/openapi.json`)).toBe(200);
}, 60_000);

test('WEB=internal serves the console and its calls on the internal listener alone', async () => {
  const node = await startNode({ WEB: 'internal' });
  expect(await status(`${node.url}/chat`)).toBe(200);
  expect(await status(`${node.url}/console`)).toBe(404);
  expect(await status(`${node.url}/console/sessions`)).toBe(404);
  const page = await get(`${node.internalUrl}/console/sessions`);
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, POLICY]);
  for (const file of await filesOf(`${node.internalUrl}/console`))
    expect(await status(file)).toBe(200);
  expect(await status(`${node.internalUrl}/v1/me`)).toBe(401);
  for (const path of ['/chat', '/docs', '/consoles', '/openapi.json'])
    expect(await status(node.internalUrl + path)).toBe(404);
}, 60_000);
