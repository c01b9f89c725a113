/**
 * ADR 0019: the head of an upgrade that we read ourselves means what node:http would have said it means. Heads that were right
 * until something happened to them (fast-check) go to both; what we take, node:http takes, and understands in the same way.
 */
import { createServer, get } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readPlainUpgrade, takePlainUpgrades } from '../../src/gateway/plain-upgrade.js';
import type { UpgradeRequest } from '../../src/gateway/plain-upgrade.js';

const RUNS = 3_000;
const nobody = {} as Socket;

interface Understood {
  method: string | undefined;
  url: string | undefined;
  headers: UpgradeRequest['headers'];
  head: string;
}

/** What node:http makes of `bytes`, or null when it is no upgrade to it, or not yet. */
async function byNode(bytes: Buffer): Promise<Understood | null> {
  const server = createServer((_, response) => response.end());
  server.on('clientError', () => undefined);
  let understood: Understood | null = null;
  server.on('upgrade', ({ method, url, headers }: IncomingMessage, _: Duplex, head: Buffer) => {
    understood = { method, url, headers, head: head.toString('latin1') };
  });
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), autoDestroy: false });
  server.emit('connection', stream);
  stream.push(bytes);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  stream.destroy();
  return understood;
}

function byUs(bytes: Buffer): Understood | null {
  const plain = readPlainUpgrade(bytes, nobody);
  if (plain === null) return null;
  const { method, url, headers } = plain.request;
  return { method, url, headers, head: plain.head.toString('latin1') };
}

/** As Chromium, Firefox, nginx and `ws` write them. */
const CLIENTS = {
  browser: [
    'GET /v1/ws?ticket=wr_tk_1a.2-b_c~ HTTP/1.1',
    'Host: rooms.example.com',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    'Origin: https://app.example.com',
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9',
    'Cookie: a=b; wr_at=eyJ.eyJ.sig',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Sec-WebSocket-Protocol: wardroom.v1, bearer.eyJ.eyJ.sig',
  ],
  firefox: ['GET /v1/ws HTTP/1.1', 'Host: localhost:3000', 'Sec-WebSocket-Version: 13', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket'],
  'behind nginx': [
    'GET /v1/ws HTTP/1.1',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Host: rooms',
    'X-Forwarded-For: 203.0.113.7',
    'X-Forwarded-Proto: https',
  ],
  'ws of Node': [
    'GET /v1/ws HTTP/1.1',
    'Sec-WebSocket-Version: 13',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Authorization: Bearer eyJ.eyJ.sig',
    'Host: 127.0.0.1:1',
  ],
};

const bytesOf = (lines: readonly string[], more = ''): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${more}`, 'latin1');

const spoilt = fc.oneof(
  fc.constantFrom(
    'Connection: close',
    'Connection: upgrade, close',
    'Connection: keep-alive,Upgrade',
    'connection : upgrade',
    'Upgrade: h2c',
    'UPGRADE: WebSocket',
    'Upgrade: websocket, h2c',
    'Content-Length: 3',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    'Set-Cookie: a=b',
    'Cookie: a=b',
    'Host: other',
    'Origin: https://other.example.com',
    'Authorization: Bearer other',
    '__proto__: x',
    'constructor: x',
    'X-Empty:',
    'X-Spaces:   much   ',
    'X-Tab:\ta\tb',
    'X-Tight:value',
    'X-High: caf\xe9',
    'X-Null: a\0b',
    'X-Line: a\nInjected: b',
    'X-Return: a\rInjected: b',
    ' folded',
    ': no name',
    'no colon',
    'X Y: z',
    'X[Y]: z',
    '',
  ),
  fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,8}$/), fc.string({ unit: 'binary-ascii', maxLength: 12 })).map(([name, value]) => `${name}: ${value}`),
);
const requestLine = fc.constantFrom(
  'GET /v1/ws HTTP/1.1',
  'GET /v1/ws?ticket=a%20b&auth=message HTTP/1.1',
  'GET /v1/ws?a#b HTTP/1.1',
  'GET /v1/ws?a b HTTP/1.1',
  'GET /v1/wss HTTP/1.1',
  'GET //v1/ws HTTP/1.1',
  'GET http://host/v1/ws HTTP/1.1',
  'GET /v1/ws HTTP/1.0',
  'GET  /v1/ws HTTP/1.1',
  'GET /v1/ws HTTP/1.1 ',
  'get /v1/ws HTTP/1.1',
  'POST /v1/ws HTTP/1.1',
  'GET /v1/ws',
);

const seldom = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: what });

describe('what we read ourselves', () => {
  test.each(Object.entries(CLIENTS))('takes the upgrade of a %s client, and what came with it', async (_, lines) => {
    const bytes = bytesOf(lines, '\x81\x85 frame');
    expect(byUs(bytes)).not.toBeNull();
    expect(byUs(bytes)).toEqual(await byNode(bytes));
  });

  test('is what node:http would have understood, whatever happened to it', async () => {
    let taken = 0;
    let left = 0;
    const change = fc.record({
      line: seldom(requestLine),
      put: fc.array(fc.tuple(fc.nat(14), spoilt), { maxLength: 2 }),
      drop: seldom(fc.nat(14)),
      stain: seldom(fc.tuple(fc.nat(400), fc.nat(255))),
      cut: seldom(fc.nat(400)),
      more: fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(CLIENTS)), change, async (client, { line, put, drop, stain, cut, more }) => {
        const lines = line === null ? [...client] : [line, ...client.slice(1)];
        for (const [at, text] of put) lines.splice(1 + (at % lines.length), 0, text);
        if (drop !== null) lines.splice(1 + (drop % lines.length), 1);
        let bytes = bytesOf(lines, more);
        if (stain !== null) bytes[stain[0] % bytes.length] = stain[1];
        if (cut !== null) bytes = bytes.subarray(0, cut);
        const ours = byUs(bytes);
        if (ours === null) left += 1;
        else {
          taken += 1;
          expect(ours).toEqual(await byNode(bytes));
        }
      }),
      { numRuns: RUNS },
    );
    // Neither side of the question may go unasked.
    expect(taken).toBeGreaterThan(RUNS / 10);
    expect(left).toBeGreaterThan(RUNS / 10);
  });

  test('leaves a head larger than 8 KiB, and one that is not all there', () => {
    const [line, ...rest] = CLIENTS.firefox;
    expect(byUs(bytesOf([line!, ...rest, `X-Long: ${'x'.repeat(8_000)}`]))).not.toBeNull();
    expect(byUs(bytesOf([line!, ...rest, `X-Long: ${'x'.repeat(8_192)}`]))).toBeNull();
    expect(byUs(Buffer.from(CLIENTS.firefox.join('\r\n')))).toBeNull();
  });
});

describe('connections to a server', () => {
  let server: Server;
  let end: () => void;
  let sockets: Socket[] = [];
  const upgrades: { url: string | undefined; by: 'us' | 'node:http'; socket: Socket }[] = [];

  let handedOver: Promise<void>;

  async function start(): Promise<void> {
    upgrades.length = 0;
    server = createServer((request, response) => response.end(`you asked for ${request.url}`));
    server.on('upgrade', ({ url }: IncomingMessage, socket: Socket) => upgrades.push({ url, by: 'node:http', socket }));
    const [toHttp] = server.listeners('connection') as [(socket: Socket) => void];
    handedOver = new Promise((resolve) => {
      server.off('connection', toHttp).on('connection', (socket: Socket) => {
        toHttp.call(server, socket);
        resolve();
      });
    });
    end = takePlainUpgrades(server, ({ url }, socket) => upgrades.push({ url, by: 'us', socket }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  async function open(): Promise<Socket> {
    const taken = new Promise((resolve) => server.once('connection', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket.on('error', () => undefined));
    await taken;
    return socket;
  }

  async function upgraded(): Promise<(typeof upgrades)[number]> {
    while (upgrades.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return upgrades[0]!;
  }

  afterEach(() => {
    for (const { socket } of upgrades) socket.destroy();
    for (const socket of sockets) socket.destroy();
    sockets = [];
    server.closeAllConnections();
    server.close();
    end();
  });

  test('a head in one piece is ours, in two it is for node:http', async () => {
    await start();
    (await open()).write(bytesOf(CLIENTS.firefox));
    expect(await upgraded()).toMatchObject({ by: 'us', url: '/v1/ws' });
    upgrades[0]!.socket.destroy();
    upgrades.length = 0;
    const slow = await open();
    const bytes = bytesOf(CLIENTS.firefox);
    slow.write(bytes.subarray(0, 30));
    await handedOver;
    slow.write(bytes.subarray(30));
    expect(await upgraded()).toMatchObject({ by: 'node:http', url: '/v1/ws' });
  });

  test('calls are answered, several over one connection', async () => {
    await start();
    const { port } = server.address() as AddressInfo;
    const socket = await open();
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.write('GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n');
    while (!heard.includes('you asked for /two')) await new Promise((resolve) => socket.once('data', resolve));
    expect(heard).toContain('you asked for /one');
    const status = await new Promise((resolve) => get({ port, path: '/three' }, (response) => resolve(response.resume().statusCode)));
    expect(status).toBe(200);
  });

  test('who says nothing for a second is for node:http, with its timeouts', async () => {
    await start();
    const socket = await open();
    await handedOver;
    socket.write(bytesOf(CLIENTS.firefox));
    expect(await upgraded()).toMatchObject({ by: 'node:http' });
  });

  test('who leaves or breaks off without a word is gone, and nothing fails', async () => {
    await start();
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const gone = new Promise<void>((resolve) => server.once('connection', (socket: Socket) => socket.once('close', () => resolve())));
      (await open())[leave]();
      await gone;
      expect(upgrades).toEqual([]);
    }
  });

  test('at the end who has said nothing is cut off, and the next one is for node:http', async () => {
    await start();
    const silent = await open();
    const cut = new Promise((resolve) => silent.once('close', resolve));
    end();
    await cut;
    (await open()).write(bytesOf(CLIENTS.firefox));
    expect(await upgraded()).toMatchObject({ by: 'node:http' });
  });
});
