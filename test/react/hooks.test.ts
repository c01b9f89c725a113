/** @wardroom/react in a real browser, under StrictMode. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { testWith } from '../support/needs.js';
import { bundle, servePages } from '../support/page-server.js';

const inBrowser = testWith(CHROMIUM, 'the hooks of @wardroom/react');

let origin: string;
beforeAll(async () => {
  const html = '<!doctype html><body><script type="module" src="page.js"></script></body>';
  const page = await bundle('test/react/hooks-page.ts');
  origin = await servePages({ 'index.html': html, 'page.js': page });
});

const shows = (page: Page, id: string, text: string) =>
  page.waitForFunction(
    ([where, wanted]) => document.getElementById(where!)?.textContent === wanted,
    [id, text],
  );

inBrowser('mounted twice by StrictMode, a room is subscribed once and follows', async () => {
  const { page, errors } = await openPage(origin);
  await shows(page, 'state', 'live true rooms 0');
  await shows(page, 'room', 'one:stored | typing 0 | count 1 | heard 0');
  expect(await page.evaluate('server.subscribes')).toBe(1);
  await page.evaluate('server.publish(OTHER, "op-2", "two")');
  await shows(page, 'room', 'one:stored two:stored | typing 0 | count 1 | heard 1');
  await page.click('#room');
  await shows(page, 'room', 'one:stored two:stored mine:stored | typing 0 | count 1 | heard 2');
  await page.evaluate('server.tell({ type: "typing", room: ROOM, sender: OTHER, on: true })');
  await shows(page, 'room', 'one:stored two:stored mine:stored | typing 1 | count 1 | heard 2');
  expect(errors).toEqual([]);
  await page.context().close();
});

inBrowser(
  'nothing renders while nothing changes, and a room that is left is unsubscribed',
  async () => {
    const { page, errors } = await openPage(origin);
    await shows(page, 'room', 'one:stored | typing 0 | count 1 | heard 0');
    const renders = await page.evaluate('renders()');
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))');
    expect(await page.evaluate('renders()')).toBe(renders);
    await page.click('button');
    await page.waitForFunction('!client.room(ROOM).subscribed');
    await page.click('button');
    await shows(page, 'room', 'one:stored | typing 0 | count 1 | heard 0');
    await page.evaluate('server.publish(OTHER, "op-2", "two")');
    await shows(page, 'room', 'one:stored two:stored | typing 0 | count 1 | heard 1');
    expect(errors).toEqual([]);
    await page.context().close();
  },
);

inBrowser('the connection is shown as it is', async () => {
  const { page, errors } = await openPage(origin);
  await shows(page, 'state', 'live true rooms 0');
  await page.evaluate('client.close()');
  await shows(page, 'state', 'closed true rooms 0');
  await page.evaluate('client.connect()');
  await shows(page, 'state', 'live true rooms 0');
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a component without a client says what is missing', async () => {
  const { renderToString } = await import('react-dom/server');
  const { createElement } = await import('react');
  const { useClient } = await import('@wardroom/react');
  const Lonely = () => createElement('p', null, useClient().state);
  expect(() => renderToString(createElement(Lonely))).toThrow(/WardroomContext/);
});
