/** Signing in at an external issuer, in Chromium: from the page to the issuer and back. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ChatPages } from '../support/chat-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { FakeIssuer, issuersFile, now } from '../support/issuer.js';
import { describeWith } from '../support/needs.js';
import { call, unique } from '../support/world.js';

describeWith(CHROMIUM, 'signing in at an issuer, in a browser')('a browser', () => {
  const pages = new ChatPages();
  let issuer: FakeIssuer;
  const slug = unique('t');

  beforeAll(async () => {
    issuer = await FakeIssuer.start();
    const entry = issuer.entry([slug], {
      users: 'create',
      claims: { role: 'groups' },
      sign_in: { label: 'Acme & Söhne' },
    });
    await pages.start(1, { tenant: { slug }, env: { ISSUERS_FILE: issuersFile([entry]) } });
  }, 60_000);

  const person = (more: object = {}) => ({
    sub: randomUUID(),
    email: `${unique('u')}@example.com`,
    name: 'Ada Lovelace',
    ...more,
  });
  const button = (page: Page) => page.getByRole('button', { name: 'Sign in with Acme & Söhne' });

  test('sees the button once the tenant is typed, and comes back signed in, into the room of its invitation', async () => {
    const owner = await pages.world.user('owner');
    const room = await pages.world.room(owner, { name: 'Invited here' });
    const { body } = await call(pages.urls[0]!, `/v1/rooms/${room}/invites`, {
      token: owner.token,
      body: {},
    });
    issuer.person = person();
    const page = await pages.visit(null, { path: `#invite=${body.code}` });
    await page.getByText('You were invited to a room').waitFor();
    expect(await button(page).count()).toBe(0);
    await page.getByRole('textbox', { name: 'Workspace' }).fill(slug);
    await button(page).click();
    await page.getByRole('main', { name: 'Invited here' }).waitFor();
    expect(page.url()).not.toMatch(/invite|refused|code=|state=/);
  });

  test('that comes back refused shows why, once, and is offered the password as before', async () => {
    issuer.person = null;
    const page = await pages.visit(null);
    await page.getByRole('textbox', { name: 'Workspace' }).fill(slug);
    await button(page).click();
    await page.getByRole('alert').filter({ hasText: 'Nobody was signed in' }).waitFor();
    expect(page.url()).toBe(`${pages.urls[0]}/chat`);
    expect(await page.getByRole('textbox', { name: 'Workspace' }).inputValue()).toBe(slug);
    await page.reload();
    await page.getByLabel('Password', { exact: true }).waitFor();
    expect(await page.getByText('Nobody was signed in').count()).toBe(0);
  });

  test.each(['__proto__', 'constructor', 'visit_evil_com'])(
    'that is sent to ?refused=%s is told no more than that nobody was signed in',
    async (code) => {
      const page = await pages.visit(null, { path: `?refused=${code}` });
      await page.getByRole('alert').filter({ hasText: 'Nobody was signed in' }).waitFor();
      expect(await page.evaluate(() => Object.keys(Object.prototype))).toEqual([]);
    },
  );

  test('of an admin without a password proves itself at the issuer for a dangerous call in the console', async () => {
    const admin = person({ groups: ['admin'] });
    issuer.person = admin;
    const victim = await pages.world.user('victim');
    const page = await pages.blank();
    await page.goto(`${pages.urls[0]}/console#/sessions?q=${encodeURIComponent(victim.email)}`);
    await page.getByRole('textbox', { name: 'Tenant' }).fill(slug);
    await button(page).click();
    const begin = page.getByRole('button', {
      name: `End all sessions of ${victim.email} …`,
    });
    const end = async () => {
      await begin.click();
      await page.getByLabel('Reason, for the audit').fill('laptop was stolen');
      await page.keyboard.press('Enter');
    };
    await end();
    issuer.person = { ...admin, auth_time: now() };
    await page.getByRole('button', { name: 'Prove it at Acme & Söhne, then try again' }).click();
    await end();
    await page.locator('.steps').getByText('receipt: effective').waitFor();
    expect(issuer.visits.at(-1)!.get('max_age')).toBe('0');
  });
});
