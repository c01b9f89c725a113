/** examples/chat as two people use it: two tabs, a network that goes away, a sign-out elsewhere. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { testWith } from '../support/needs.js';
import { startNode } from '../support/node-process.js';
import { bundle, servePages } from '../support/page-server.js';
import { type SignedIn, World } from '../support/world.js';

const inBrowser = testWith(CHROMIUM, 'the example of a chat');
const source = (file: string) =>
  readFileSync(new URL(`../../examples/chat/${file}`, import.meta.url), 'utf8');

test('the chat keeps at most 60 lines of state', () => {
  const lines = source('use-chat.ts').split('\n');
  expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(60);
  expect(source('chat.tsx') + source('main.tsx')).not.toMatch(
    /\buse(?:State|Reducer|Ref|Effect)\b/,
  );
});

/** The way to a node, which can be cut. */
class Network {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  isAway = false;
  url = '';

  async open(port: number): Promise<void> {
    const server = createServer((socket) => {
      if (this.isAway) return void socket.destroy();
      const upstream = connect(port, '127.0.0.1');
      for (const each of [socket, upstream]) {
        this.#sockets.add(each);
        each.on('error', () => {});
        each.on('close', () => {
          this.#sockets.delete(each);
          socket.destroy();
          upstream.destroy();
        });
      }
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
  }
  close(): void {
    this.cut();
    this.#server?.close();
  }
  cut(): void {
    this.isAway = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

let origin: string;
let world: World;
let room: string;
let ada: SignedIn;
let ben: SignedIn;
const direct = new Network();
const shaky = new Network();
afterAll(() => {
  direct.close();
  shaky.close();
});

beforeAll(async () => {
  const main = await bundle('examples/chat/main.tsx');
  origin = await servePages({ 'index.html': source('index.html'), 'main.js': main });
  const node = await startNode({ ALLOWED_ORIGINS: origin }, { until: 'file' });
  await direct.open(Number(new URL(node.url).port));
  await shaky.open(Number(new URL(node.url).port));
  world = await World.create({ base: node.url });
  [ada, ben] = (await world.users('ada', 'ben')) as [SignedIn, SignedIn];
  room = await world.room(ada, {}, [[ben, 'member']]);
}, 90_000);

const address = (network: Network) => `${origin}/?server=${network.url}&room=${room}`;

async function signIn(page: Page, { email, password }: SignedIn): Promise<void> {
  await page.fill('[name=tenant]', world.tenant.slug);
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', password);
  await page.click('text=Sign in >> nth=-1');
  await isLive(page);
}
const isLive = (page: Page) =>
  page.waitForFunction(() => document.querySelector('[role=status]')?.textContent === 'live');

async function say(page: Page, text: string): Promise<void> {
  await page.fill('[aria-label=Message]', text);
  await page.click('text="Send"');
}

/** Until the list is this: each message with its state and, after a slash, its reactions. */
async function shows(page: Page, wanted: string[]): Promise<void> {
  const read = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('main li')].map((item) => {
        const text = item.querySelector('span, em')!.textContent;
        const likes = [...item.querySelectorAll('small')].map((each) => each.textContent);
        return [`${text} (${item.dataset['state']})`, ...likes].join(' / ');
      }),
    );
  const end = Date.now() + 10_000;
  let seen = await read();
  while (JSON.stringify(seen) !== JSON.stringify(wanted) && Date.now() < end) {
    await page.waitForTimeout(20);
    seen = await read();
  }
  expect(seen).toEqual(wanted);
}

inBrowser(
  'two people talk in two tabs, over a network that goes away, until one signs out elsewhere',
  async () => {
    const first = await openPage(address(direct));
    const second = await openPage(address(shaky));
    await signIn(first.page, ada);
    await signIn(second.page, ben);

    await say(first.page, 'hello');
    await shows(second.page, ['hello (stored)']);
    await second.page.click('[aria-label=Like]');
    await shows(first.page, ['hello (stored) / +1 1']);

    await second.page.fill('[aria-label=Message]', 'I am');
    await first.page.waitForSelector('text=1 typing ...');
    await say(second.page, 'I am here');
    await shows(first.page, ['hello (stored) / +1 1', 'I am here (stored)']);
    await first.page.waitForSelector('text=1 typing ...', { state: 'hidden' });

    const tab = await first.page.context().newPage();
    await tab.goto(address(direct));
    await isLive(tab);
    await shows(tab, ['hello (stored) / +1 1', 'I am here (stored)']);

    shaky.cut();
    await second.page.waitForFunction(
      () => document.querySelector('[role=status]')?.textContent !== 'live',
    );
    await say(second.page, 'while away');
    await say(first.page, 'meanwhile');
    await shows(second.page, [
      'hello (stored) / +1 1',
      'I am here (stored)',
      'while away (sending)',
    ]);
    shaky.isAway = false;
    const back = Date.now();
    await second.page.evaluate(() => window.dispatchEvent(new Event('online')));
    await isLive(second.page);
    expect(Date.now() - back).toBeLessThan(3000);
    const all = ['hello (stored) / +1 1', 'I am here (stored)', 'meanwhile (stored)'];
    for (const page of [first.page, second.page, tab])
      await shows(page, [...all, 'while away (stored)']);

    await tab.click('text="Delete" >> nth=0');
    const left = ['deleted (stored) / +1 1', ...all.slice(1), 'while away (stored)'];
    for (const page of [first.page, second.page, tab]) await shows(page, left);

    await tab.click('text="Sign out"');
    await first.page.waitForSelector('text=Sign in');
    await tab.waitForSelector('text=Sign in');
    await isLive(second.page);
    await first.page.reload();
    await first.page.waitForSelector('text=Sign in');
    expect(
      [...first.errors, ...second.errors].filter((line) => !/WebSocket|ERR_/.test(line)),
    ).toEqual([]);
  },
  90_000,
);
