/** Signing in at a provider that others wrote, with its own pages, from ours and back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/stores/machine.mjs';
import { ChatPages } from '../support/chat-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { issuersFile } from '../support/issuer.js';
import { describeWith } from '../support/needs.js';
import { unique } from '../support/world.js';

const CLIENT = 'wardroom';
const SECRET = 'secret:of/the+client and more';

describeWith(CHROMIUM, 'node-oidc-provider')('node-oidc-provider', () => {
  const pages = new ChatPages();
  const slug = unique('t');
  let provider: ChildProcess;

  beforeAll(async () => {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const entry = {
      issuer,
      client_id: CLIENT,
      tenants: [slug],
      users: 'create',
      sign_in: { label: 'Elsewhere', client_secret: SECRET },
    };
    await pages.start(1, { tenant: { slug }, env: { ISSUERS_FILE: issuersFile([entry]) } });
    const script = new URL('./oidc-provider.mjs', import.meta.url).pathname;
    const redirect = `${pages.urls[0]}/v1/auth/issuers/callback`;
    provider = spawn(process.execPath, [script, String(port), CLIENT, SECRET, redirect], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    provider.stderr!.on('data', (text) => (said += String(text)));
    const ended = once(provider, 'exit').then(() => {
      throw new Error(`the provider did not start: ${said}`);
    });
    await Promise.race([once(provider.stdout!, 'data'), ended]);
    ended.catch(() => undefined);
  }, 60_000);
  afterAll(() => void provider?.kill());

  test('signs a person in, by the e-mail that it tells at UserInfo alone', async () => {
    const login = unique('person');
    const page = await pages.visit(null);
    await page.getByRole('textbox', { name: 'Workspace' }).fill(slug);
    await page.getByRole('button', { name: 'Sign in with Elsewhere' }).click();
    await page.getByPlaceholder('Enter any login').fill(login);
    await page.getByPlaceholder('and password').fill('anything');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
    const me = await page.evaluate(async () => (await fetch('/v1/me')).json());
    expect(me).toMatchObject({ email: `${login}@example.com`, name: `Mx ${login}` });
  });
});
