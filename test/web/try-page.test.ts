/**
 * The try-out page in a real browser, on two nodes: what its buttons do, and that it shows nothing
 * that did not happen.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { people, seed } from '../../scripts/seed.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { accessibilityFaults, pagesOfTests } from '../support/browser-pages.js';
import type { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { describeWith, testWith } from '../support/needs.js';
import { startCluster, startNode } from '../support/node-process.js';
import { call } from '../support/world.js';

const described = describeWith(CHROMIUM, 'the try-out page in a real browser');
const full = process.env['WEB_TESTS'] === 'full';
const inFull = testWith(
  { met: full, reason: 'takes half a minute: npm run test:web' },
  'trouble on the try-out page, three pages at once',
);
const PASSWORD = 'a-password-of-the-try-out-page';
const operator = { email: 'operator@system.test', password: PASSWORD };
const LEASE_MS = 2_000;

let url: string;
const open = pagesOfTests();

async function visit(options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  const { page } = await open(url, options);
  await live(page, 'ada', 'ben');
  return page;
}

const pane = (page: Page, name: string, tab: 1 | 2) =>
  page.getByRole('region', { name: `${name}, tab ${tab}`, exact: true });

/** A message as the room shows it; the log of frames holds it too. */
const message = (page: Page, name: string, tab: 1 | 2, text: string) =>
  pane(page, name, tab).locator('.log:not(.mono) li', { hasText: text });

/** Both tabs of these people are connected. */
async function live(page: Page, ...names: string[]): Promise<void> {
  for (const name of names)
    for (const tab of [1, 2] as const)
      await pane(page, name, tab).locator('.badge.good', { hasText: 'live' }).waitFor();
}

/** Clicks a deed and waits until its call was answered. Answers the text of its run. */
async function perform(page: Page, id: string): Promise<() => Promise<string>> {
  await page.locator(`#do-${id}`).click();
  const run = page.locator('.run').first();
  await run.locator('.steps li').first().waitFor();
  const title = await run.locator('h3').innerText();
  await page
    .locator('.run', { hasText: title })
    .first()
    .and(page.locator(':not([data-state=waiting])'))
    .waitFor();
  return () => page.locator('.run', { hasText: title }).first().innerText();
}

async function restored(page: Page): Promise<void> {
  await perform(page, 'restore');
  await live(page, 'ben');
  await expectWritable(page);
}

const expectWritable = (page: Page) =>
  page.getByLabel('Message as ben in tab 2').and(page.locator(':not([readonly])')).waitFor();

described('the try-out page', () => {
  beforeAll(async () => {
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
    const origins = [ports[0], ports[1]].map((port) => `http://127.0.0.1:${port}`) as [
      string,
      string,
    ];
    const nodes = origins.map((origin, i) => ({
      name: 'ab'[i]!,
      url: origin,
      internal_url: `http://127.0.0.1:${ports[i + 2]}`,
    }));
    url = origins[0];
    const env = {
      TRY_PAGE: 'on',
      TRY_NODES: JSON.stringify(nodes),
      PUBLIC_URL: url,
      ALLOWED_ORIGINS: origins.join(),
      AUTHORITY_LEASE_MS: String(LEASE_MS),
      AUTH_GRACE_SECONDS: '1',
      BOOTSTRAP_OPERATOR_EMAIL: operator.email,
      BOOTSTRAP_OPERATOR_PASSWORD: operator.password,
    };
    const cluster = await startCluster(0, env);
    await Promise.all(
      origins.map((_, i) =>
        startNode({ ...cluster.env, PORT: String(ports[i]), INTERNAL_PORT: String(ports[i + 2]) }),
      ),
    );
    expect(await seed(url, operator, () => PASSWORD)).toEqual([]);
  }, 90_000);

  test('shows with one click that a logout closes the socket of the other tab on the other node, with the receipt of both nodes', async () => {
    const page = await visit();
    const text = await (await perform(page, 'logout'))();
    for (const part of [
      'POST /v1/auth/logout',
      'committed in Postgres',
      'node a confirmed',
      'node b confirmed',
      'receipt: effective',
      '2 connections closed',
    ]) {
      expect(text).toContain(part);
    }
    await page
      .locator('.run')
      .first()
      .getByText('ada tab 2 (b): close 1008 session_revoked, action login')
      .waitFor();
    for (const tab of [1, 2] as const)
      await pane(page, 'ada', tab).getByText('This session was ended').waitFor();
    const steps = await page.locator('.run').first().locator('.what').allInnerTexts();
    const at = (part: string) => steps.findIndex((step) => step.includes(part));
    expect(at('committed')).toBeLessThan(at('ada tab 2 (b): goodbye'));
    expect(at('ada tab 2 (b): goodbye')).toBeLessThan(at('ada tab 2 (b): close'));
    await pane(page, 'ada', 1).getByRole('button', { name: 'Sign in again' }).click();
    await live(page, 'ada');
  }, 60_000);

  test('takes ben out of the room, mutes, suspends and revokes ben, and puts ben back', async () => {
    const page = await visit();
    await perform(page, 'mute');
    await page.locator('.run').first().getByText('ben tab 2 (b): access reads only').waitFor();
    await page.getByPlaceholder('Locked: read-only for you').first().waitFor();
    await restored(page);
    expect(await (await perform(page, 'remove'))()).toContain('receipt: effective');
    await pane(page, 'ben', 2).getByText('Not in the room.').waitFor();
    await restored(page);
    expect(await (await perform(page, 'revoke'))()).toContain(
      '1 session ended, 2 connections closed',
    );
    await pane(page, 'ben', 2).getByText('Signed out.').waitFor();
    await restored(page);
    expect(await (await perform(page, 'suspend'))()).toContain('receipt: effective');
    await pane(page, 'ben', 2).getByText('Suspended.', { exact: true }).waitFor();
    await pane(page, 'ben', 2).getByRole('button', { name: 'Sign in again' }).click();
    await pane(page, 'ben', 2).getByText('Not signed in. The user is suspended.').waitFor();
    await restored(page);
  }, 60_000);

  test('draws a refused call as refused', async () => {
    const page = await visit();
    await perform(page, 'remove');
    await page.locator('#do-remove').click();
    const refused = page.locator('.run[data-state=refused]').first();
    await refused.waitFor();
    expect(await refused.innerText()).toContain('refused: 404 not_found');
    expect(await refused.innerText()).not.toContain('effective');
    await restored(page);
  });

  test('withdraws the signing key, and everybody is back without signing in', async () => {
    const page = await visit();
    expect(await (await perform(page, 'key'))()).toContain('receipt: effective');
    await page.locator('.run').first().getByText('ada tab 1 (a): connected').waitFor();
    await live(page, 'ada', 'ben');
  });

  test('keeps the tabs of a person connected whose clock jumps', async () => {
    const page = await visit();
    await perform(page, 'clock');
    await page.getByLabel('Message as ada in tab 2').fill('by a wrong clock');
    await page.keyboard.press('Enter');
    await message(page, 'ben', 1, 'by a wrong clock').waitFor();
    await live(page, 'ada');
  });

  test('logs ada out everywhere, also in another page', async () => {
    const [one, other] = await Promise.all([visit(), visit()]);
    await perform(one, 'logout-all');
    for (const page of [one, other])
      await pane(page, 'ada', 1).getByText('This session was ended').waitFor();
  });

  inFull(
    'shows the trouble of a node, a token and a network as they happen, in three pages at once',
    async () => {
      const [freezing, expiring, losing] = [await visit(), await visit(), await visit()];
      // The receipt of a change waits for the lease of the frozen node, and the page says that it
      // waits.
      const freeze = async () => {
        await perform(freezing, 'freeze');
        await freezing.locator('#do-logout').click();
        const logout = freezing.locator('.run').first();
        await logout.getByText('waiting for the receipt of node a and node b').waitFor();
        expect(await logout.innerText()).not.toContain('receipt: effective');
        await logout.getByText('node b fenced').waitFor();
        await logout.getByText('receipt: effective').waitFor();
        await logout.getByText('ben tab 2 (b): paused').waitFor();
        await freezing.locator('.nodes').getByText('node b fenced').waitFor();
        await logout.getByText('ben tab 2 (b): resumed').waitFor();
      };
      const expire = async () => {
        await perform(expiring, 'expire');
        const run = expiring.locator('.run').first();
        for (const part of [
          'auth_expiring_soon',
          'auth_expired',
          'close 4001 token_expired, action refresh',
        ])
          await run.getByText(`ben tab 1 (a): ${part}`).waitFor();
      };
      const lose = async () => {
        await losing.locator('#do-network').click();
        await pane(losing, 'ben', 1).getByText('no network').waitFor();
        await losing.getByLabel('Message as ada in tab 1').fill('while ben was away');
        await losing.keyboard.press('Enter');
        await message(losing, 'ben', 2, 'while ben was away').waitFor();
        expect(await message(losing, 'ben', 1, 'while ben was away').count()).toBe(0);
        await message(losing, 'ben', 1, 'while ben was away').waitFor();
      };
      await Promise.all([lose(), expire()]);
      await freeze();
    },
    90_000,
  );

  test('shows hostile names and messages as text, and has no way to run them', async () => {
    const asOperator = (
      await call(url, '/v1/auth/login', { body: { tenant: 'system', ...operator } })
    ).body.access_token as string;
    const { items } = (
      await call(url, '/v1/admin/tenants/demo/users?limit=50', { token: asOperator })
    ).body;
    const admin = (items as { id: string; email: string }[]).find(({ email }) =>
      email.startsWith('admin@'),
    )!.id;
    const hostile = '<img src=x onerror="document.title=1">';
    await call(url, `/v1/admin/users/${admin}`, {
      method: 'PATCH',
      token: asOperator,
      body: { name: hostile },
    });
    const token = (
      await call(url, '/v1/auth/login', {
        body: { tenant: 'demo', email: people[0]!.email, password: PASSWORD },
      })
    ).body.access_token as string;
    const page = await visit();
    await call(url, '/v1/rooms/lobby/messages', {
      token,
      body: { body: { text: `${hostile}<script>document.title=2</script>\u202Eabc` } },
    });
    await message(page, 'ben', 1, '<script>document.title=2</script>').waitFor();
    expect(
      await pane(page, 'ben', 1).locator('strong', { hasText: hostile }).count(),
    ).toBeGreaterThan(0);
    expect(await page.title()).toBe('Wardroom · try-out');
    expect(await page.locator('img').count()).toBe(0);
  });

  const VIEWS = {
    light: { colorScheme: 'light' as const },
    'dark, on a phone': { colorScheme: 'dark' as const, viewport: { width: 360, height: 740 } },
    dark: { colorScheme: 'dark' as const },
    'on a phone': { viewport: { width: 360, height: 740 } },
    'at 200 %': {
      viewport: { width: 640, height: 450 },
      deviceScaleFactor: 2,
      reducedMotion: 'reduce' as const,
    },
  };
  /** WEB_TESTS=full looks at all of them. */
  describe.each(Object.entries(VIEWS).slice(0, full ? undefined : 2))('%s', (_, options) => {
    test('has no fault that axe-core knows, and nothing to scroll sideways, before and after a logout', async () => {
      const page = await visit(options);
      const widths = () =>
        page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
      const states = [
        async () => undefined,
        async () => void (await perform(page, 'logout')),
        async () => page.getByText('Frames', { exact: false }).first().click(),
        async () =>
          page
            .getByRole('button', { name: /as curl$/ })
            .first()
            .click(),
      ];
      for (const next of states) {
        await next();
        expect(await accessibilityFaults(page)).toEqual([]);
        const [scroll, client] = await widths();
        expect(scroll).toBeLessThanOrEqual(client!);
      }
    });
  });

  test('is worked by the keyboard alone', async () => {
    const page = await visit();
    for (
      let i = 0;
      i < 30 && !(await page.evaluate(() => document.activeElement?.id === 'do-logout'));
      i += 1
    )
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.run').first().getByText('receipt: effective').waitFor();
    await page
      .getByRole('button', { name: /as curl$/ })
      .first()
      .focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('weighs at most 45 kB, SDK included, and is kept by no browser but for the files with a hash', async () => {
    const page = await fetch(url);
    expect(page.headers.get('cache-control')).toContain('no-store');
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(
      ([, path]) => path!,
    );
    expect(files.length).toBeGreaterThan(1);
    let bytes = gzipSync(html).length;
    for (const path of files) {
      const file = await fetch(`${url}/${path}`);
      expect([path, file.status, file.headers.get('cache-control')]).toEqual([
        path,
        200,
        'public, max-age=31536000, immutable',
      ]);
      bytes += gzipSync(Buffer.from(await file.arrayBuffer())).length;
    }
    expect(bytes).toBeLessThanOrEqual(45_000);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|\*/);
  });
});
