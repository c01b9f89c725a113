/** The guides and the API documents at /docs, in a real browser, from a node in production. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { accessibilityFaults, pagesOfTests } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { describeWith } from '../support/needs.js';
import { startNode } from '../support/node-process.js';

const described = describeWith(CHROMIUM, 'the docs in a real browser');

described('/docs', () => {
  let url: string;
  const open = pagesOfTests();
  beforeAll(async () => {
    const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://docs.example.com' };
    url = (await startNode({ ...production, ALLOW_INSECURE_HTTP: 'on' }, { until: 'file' })).url;
  }, 60_000);

  async function visit(path: string, options: object = {}): Promise<Page> {
    const { page } = await open(url + path, options);
    return page;
  }
  const heading = (page: Page, name: string) =>
    page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

  test('a guide links to another one at a section, and Back leads back', async () => {
    const page = await visit('/docs');
    await heading(page, 'Wardroom');
    await page.getByRole('link', { name: 'The client SDK', exact: true }).click();
    await heading(page, 'The client SDK');
    expect(new URL(page.url()).pathname).toBe('/docs/sdk');
    expect(await page.title()).toBe('The client SDK · Wardroom docs');
    await page.locator('article').getByRole('link', { name: 'protocol.md' }).first().click();
    await heading(page, 'The protocol wardroom.v1');
    await page.goBack();
    await heading(page, 'The client SDK');
  });

  test('pictures of a guide are shown, also below a deep path', async () => {
    const page = await visit('/docs/benchmarks');
    const picture = page.locator('article img').first();
    await picture.waitFor();
    expect(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).not.toBe(0);
    await visit('/docs/adr/0001-authority-log-sequenced-by-postgres').then((deep) =>
      deep.locator('article h1').waitFor(),
    );
  });

  test('the search leads to a section', async () => {
    const page = await visit('/docs');
    await page.getByLabel('Search').fill('restore-fence point in time');
    await page.getByRole('link', { name: 'A point in time (PITR)' }).click();
    await heading(page, 'Backup, restore, failover');
    const section = page.locator('#a-point-in-time-pitr');
    await section.waitFor();
    expect((await section.boundingBox())!.y).toBeLessThan(300);
    await page.getByLabel('Search').fill('xyzzy nothing');
    await page.getByText('No section has all of these words.').waitFor();
  });

  test('both API documents of this node are shown, each call with its fields and answers', async () => {
    const page = await visit('/docs/api/rest');
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const calls = Object.values(paths).flatMap((path) => Object.keys(path)).length;
    await page.getByText(`${calls} calls of this node.`).waitFor();
    const publish = page.locator('#postRoomsByRoomMessages');
    await publish.locator('summary').first().click();
    await publish.getByText('Idempotency-Key').waitFor();
    await publish.getByText('any JSON value').first().waitFor();
    expect(await publish.locator('dt', { hasText: '201' }).count()).toBe(1);
    await page.getByRole('link', { name: 'Frames (AsyncAPI)' }).click();
    await heading(page, 'Frames');
    await page.locator('#client_publish summary').click();
    await page.locator('#client_publish').getByText('Answered by: ack, error.').waitFor();
  });

  test('an unknown page says so, and leads to the first one', async () => {
    const page = await visit('/docs/nothing-here');
    await heading(page, 'There is no such page');
    await page.getByRole('link', { name: 'Begin at the beginning' }).click();
    await heading(page, 'Wardroom');
  });

  test.each([
    ['light', '/docs/security', { colorScheme: 'light' }],
    ['dark', '/docs/api/frames', { colorScheme: 'dark' }],
    ['on a phone', '/docs/operations', { viewport: { width: 360, height: 740 } }],
  ])('%s: axe-core finds no fault, and nothing scrolls sideways', async (_, path, options) => {
    const page = await visit(path, options);
    await page.locator('article h1').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    const [scroll, client] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(scroll).toBeLessThanOrEqual(client!);
  });
});
