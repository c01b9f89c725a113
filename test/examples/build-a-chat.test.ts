/** The files of docs/build-a-chat.md as they stand there, used by two people. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect } from '@jest/globals';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { people, seed } from '../../scripts/seed.mjs';
import { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { testWith } from '../support/needs.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { servePages } from '../support/page-server.js';
import { call } from '../support/world.js';

const inBrowser = testWith(CHROMIUM, 'the chat of docs/build-a-chat.md');
const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = readFileSync(`${root}docs/build-a-chat.md`, 'utf8');
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```', 'gm'))].map(
    ([, text]) => text!,
  );
const PASSWORD = 'a-password-of-the-guide';
const operator = { email: 'operator@system.test', password: PASSWORD };

let origin: string;
let node: NodeProcess;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [`${root}sdk/src/index.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'Wardroom',
    target: 'es2022',
  });
  origin = await servePages({
    'index.html': blocks('html').join(''),
    'chat.js': blocks('js').join('\n'),
    'wardroom.min.js': outputFiles[0]!.text,
  });
  node = await startNode(
    {
      ALLOWED_ORIGINS: origin,
      BOOTSTRAP_OPERATOR_EMAIL: operator.email,
      BOOTSTRAP_OPERATOR_PASSWORD: operator.password,
    },
    { until: 'file' },
  );
  expect(await seed(node.url, operator, () => PASSWORD)).toEqual([]);
}, 60_000);

async function signedIn(name: 'ada' | 'ben'): Promise<Page> {
  const { page } = await openPage(`${origin}/?server=${node.url}`);
  await page.fill('[name=email]', people.find(({ email }) => email.startsWith(name))!.email);
  await page.fill('[name=password]', PASSWORD);
  await page.click('text="Sign in"');
  await page.getByRole('status').getByText('live', { exact: true }).waitFor();
  return page;
}

inBrowser(
  'two people talk, and one of them is told why her page was signed out',
  async () => {
    const [ada, ben] = await Promise.all([signedIn('ada'), signedIn('ben')]);
    await ada.fill('[name=text]', 'Hello, ben');
    await ben.getByText('Ada is typing ...').waitFor();
    await ada.click('text="Send"');
    await ben.getByText('Ada: Hello, ben').waitFor();
    await ada.locator('[data-state=stored]', { hasText: 'Hello, ben' }).waitFor();
    // The list of rooms counts what is not shown.
    await ben.locator('#rooms button', { hasText: 'Lobby' }).waitFor();

    const body = { tenant: 'demo', email: 'ada@demo.test', password: PASSWORD };
    const { access_token: token } = (await call(node.url, '/v1/auth/login', { body })).body;
    await call(node.url, '/v1/auth/logout', { token, body: { scope: 'all' } });
    await ada
      .getByRole('status')
      .getByText(/^Signed out: /)
      .waitFor();
    expect(await ada.locator('main').isHidden()).toBe(true);
    // A reload keeps whoever is signed in.
    await ben.reload();
    await ben.getByText('Ada: Hello, ben').waitFor();
  },
  30_000,
);
