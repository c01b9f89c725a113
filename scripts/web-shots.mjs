/**
 * `npm run web:shots`: pictures of the try-out page, the chat and the console in every state,
 * light, dark and as a phone shows them, in web/shots/, which git ignores: for a reviewer to open.
 * `-- --readme` writes the one picture of the README instead; `-- try`, `-- chat` or `-- console`
 * the pictures of one surface.
 */
import './lib/require-node.mjs';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root } from './lib/install.mjs';

ensureInstalled();
if (!ensureBuilt()) process.exit(1);

const { chromium } = await import('playwright-core');
const { stopChildren, stopOnSignals } = await import('./lib/children.mjs');
const { onPath } = await import('./lib/chromium-path.mjs');
const { seed } = await import('./seed.mjs');
const { startStores } = await import('./lib/stores.mjs');
const { freePort } = await import('./stores/machine.mjs');
const { furnish, shootChat } = await import('./web-shots/chat.mjs');
const { startNodeProcess } = await import('../test/support/nodes.mjs');
const { fillForConsole, shootConsole } = await import('./web-shots/console.mjs');

const executablePath = onPath();
if (executablePath === undefined) {
  console.error('No Chromium is on PATH (Debian: apt-get install chromium).');
  process.exit(1);
}
/** Without a name all surfaces. */
const wants = (surface) =>
  process.argv.includes(surface) ||
  !['try', 'chat', 'console'].some((each) => process.argv.includes(each));
const forReadme = process.argv.includes('--readme');
const folder = forReadme ? join(root, 'docs/images') : join(root, 'web/shots');
const logDir = mkdtempSync(join(tmpdir(), 'wardroom-web-shots-'));
const password = randomBytes(18).toString('base64url');
const operator = { email: 'operator@system.test', password };
stopOnSignals(() => console.log('\nStopping ...'));

try {
  mkdirSync(folder, { recursive: true });
  const { databaseUrl, redisUrl } = await startStores({ log: console.log });
  const ports = await Promise.all([0, 1, 2, 3].map(() => freePort()));
  const nodes = [0, 1].map((i) => ({
    name: 'ab'[i],
    url: `http://localhost:${ports[i]}`,
    internal_url: `http://localhost:${ports[i + 2]}`,
  }));
  const env = {
    NODE_ENV: 'development',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    SECRET_KEY: randomBytes(32).toString('base64url'),
    PUBLIC_URL: nodes[0].url,
    ALLOWED_ORIGINS: nodes.map(({ url }) => url).join(),
    TRY_NODES: JSON.stringify(nodes),
    AUTHORITY_LEASE_MS: '5000',
    BOOTSTRAP_OPERATOR_EMAIL: operator.email,
    BOOTSTRAP_OPERATOR_PASSWORD: operator.password,
  };
  await Promise.all(
    [0, 1].map((i) =>
      startNodeProcess(
        { ...env, PORT: String(ports[i]), INTERNAL_PORT: String(ports[i + 2]) },
        { logDir },
      ),
    ),
  );
  await seed(nodes[0].url, operator, () => password);
  const browser = await chromium.launch({
    executablePath,
    args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
  if (!forReadme && wants('console'))
    await consoleShots(
      browser,
      nodes.map(({ url }) => url),
    );
  if (forReadme)
    await shoot(browser, nodes[0].url, 'try-out', { viewport: { width: 1280, height: 960 } }, [
      'closed',
    ]);
  else if (wants('try')) {
    await shoot(browser, nodes[0].url, 'light', { viewport: { width: 1280, height: 900 } });
    await shoot(browser, nodes[0].url, 'dark', {
      viewport: { width: 1280, height: 900 },
      colorScheme: 'dark',
    });
    await shoot(browser, nodes[0].url, 'phone', {
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
    });
  }
  if (!forReadme && wants('chat')) await shootAllOfChat(browser, nodes[0]);
  await browser.close();
  console.log(`The pictures are in ${folder}.`);
} finally {
  await stopChildren();
  rmSync(logDir, { recursive: true, force: true });
}

/** The console beside the try-out page, with people of a tenant of its own. */
async function consoleShots(browser, urls) {
  const letGo = await fillForConsole(urls, operator);
  const views = {
    light: { viewport: { width: 1280, height: 800 } },
    dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
    phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
  };
  for (const [name, options] of Object.entries(views))
    await shootConsole(browser, { url: urls[0], operator, folder, name, options });
  letGo();
}

async function shootAllOfChat(browser, { url, internal_url: internalUrl }) {
  const rooms = await furnish(url, () => password);
  const login = { tenant: 'demo', email: 'ada@demo.test', password };
  const fresh = async () =>
    (await rooms.call('POST', '/v1/auth/login', undefined, login)).access_token;
  const freeze = () => fetch(`${internalUrl}/try/freeze?ms=9000`, { method: 'POST' });
  const wide = { width: 1280, height: 800 };
  const looks = {
    light: { viewport: wide },
    dark: { viewport: wide, colorScheme: 'dark' },
    phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true },
  };
  for (const [name, options] of Object.entries(looks))
    await shootChat(browser, {
      url,
      folder,
      name,
      options,
      password,
      rooms: { ...rooms, fresh, ...(name === 'light' && { freeze }) },
    });
}

/** One page through its states. `wanted`: all, or only these, without their name. */
async function shoot(
  browser,
  url,
  name,
  options,
  wanted = [
    'start',
    'closed',
    'frames',
    'curl',
    'refused',
    'muted',
    'away',
    'waiting',
    'paused',
    'suspended',
  ],
) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const run = () => page.locator('.run').first();
  const perform = async (id) => {
    await page.locator(`#do-${id}`).click();
    await run().locator('.steps li').nth(1).waitFor();
    await page.locator('.run[data-state=waiting]').first().waitFor({ state: 'detached' });
  };
  const live = () => page.locator('.person .badge.good').nth(3).waitFor();
  const states = {
    start: async () => {
      await page.goto(url);
      await live();
      await page.getByText('hi ada').first().waitFor();
    },
    closed: async () => {
      if (page.url() !== `${url}/`) await states.start();
      await perform('logout');
      await run().getByText('receipt: effective').waitFor();
    },
    frames: () => page.locator('summary').nth(1).click(),
    curl: () =>
      page
        .getByRole('button', { name: /as curl$/ })
        .first()
        .click(),
    refused: async () => {
      await page.keyboard.press('Escape');
      await perform('remove');
      await page.locator('#do-remove').click();
      await run().getByText('refused').waitFor();
    },
    muted: async () => {
      await perform('restore');
      await perform('mute');
      await run().getByText('reads only').first().waitFor();
    },
    away: async () => {
      await perform('restore');
      await page.locator('#do-network').click();
      await page.getByText('no network').waitFor();
    },
    waiting: async () => {
      await perform('freeze');
      await page.locator('#do-mute').click();
      await run().getByText('waiting for the receipt').waitFor();
    },
    paused: async () => {
      await run().getByText('node b fenced').waitFor();
      await page.locator('.nodes').getByText('node b fenced').waitFor();
    },
    suspended: async () => {
      await page.locator('.nodes').getByText('node b serving').waitFor();
      await perform('suspend');
      await page.getByText('Suspended.').first().waitFor();
    },
  };
  for (const state of wanted) {
    await states[state]();
    const file = wanted.length === 1 ? `${name}.png` : `${name}-${state}.png`;
    await page.screenshot({ path: join(folder, file), fullPage: wanted.length > 1 });
    console.log(file);
  }
  await context.close();
}
