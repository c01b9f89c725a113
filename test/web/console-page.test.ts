/**
 * The console in a real browser, on two nodes: from an e-mail address to a receipt of both, what an
 * auditor gets of it, and that nothing but text appears.
 */
import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { freePort } from '../../scripts/stores/machine.mjs';
import { accessibilityFaults, pagesOfTests } from '../support/browser-pages.js';
import type { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { describeWith } from '../support/needs.js';
import { startCluster, startNode } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { query } from '../support/sql.js';
import { call, wsUrl } from '../support/world.js';

const described = describeWith(CHROMIUM, 'the console in a real browser');
const PASSWORD = 'a-password-of-the-console';
const operator = { tenant: 'system', email: 'operator@system.test', password: PASSWORD };
const auditor = { tenant: 'system', email: 'auditor@system.test', password: PASSWORD };
const cora = { tenant: 'acme', email: 'cora@acme.example', password: PASSWORD };
const ALL_PAGES = [
  'Overview',
  'Why',
  'People',
  'Invitations',
  'Tenants',
  'Services',
  'Try as',
  'Audit',
  'Review',
  'Drills',
  'Keys',
  'Config',
];
const HOSTILE = '<img src=x onerror="document.title=1">\u202E{{7*7}}';

let urls: [string, string];
let databaseUrl: string;
const open = pagesOfTests();

async function visit(
  who: { tenant: string; email: string; password: string },
  hash = '',
  options: Parameters<typeof openPage>[1] = {},
): Promise<Page> {
  const { page } = await open(`${urls[0]}/console${hash}`, options);
  await page.getByLabel('Tenant').fill(who.tenant);
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  return page;
}

const signIn = async (email: string, device: string, base = urls[0]): Promise<string> =>
  (
    await call(base, '/v1/auth/login', {
      body: { tenant: 'acme', email, password: PASSWORD, device },
    })
  ).body.access_token;

/** A socket of ben, authenticated. */
async function connect(base: string, token: string): Promise<RawClient> {
  const client = await RawClient.open(wsUrl(base), { token });
  await client.next('auth_ok');
  return client;
}

/** More than ten minutes pass since any password was given. */
const outlast = () =>
  query(databaseUrl, "UPDATE sessions SET auth_time = auth_time - interval '11 minutes'");

described('the console', () => {
  beforeAll(async () => {
    const ports = [await freePort(), await freePort()] as const;
    urls = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
    const cluster = await startCluster(0, {
      PUBLIC_URL: urls[0],
      ALLOWED_ORIGINS: urls.join(),
      BOOTSTRAP_OPERATOR_EMAIL: operator.email,
      BOOTSTRAP_OPERATOR_PASSWORD: PASSWORD,
    });
    ({ databaseUrl } = cluster);
    await Promise.all(ports.map((port) => startNode({ ...cluster.env, PORT: String(port) })));
    const { body } = await call(urls[0], '/v1/auth/login', { body: operator });
    const token = body.access_token as string;
    await call(urls[0], '/v1/admin/tenants', { token, body: { slug: 'acme', name: HOSTILE } });
    const user = (tenant: string, email: string, name: string, role: string) =>
      call(urls[0], `/v1/admin/tenants/${tenant}/users`, {
        token,
        body: { email, password: PASSWORD, name, role },
      });
    await user('acme', 'ben@acme.example', HOSTILE, 'member');
    await user('acme', cora.email, 'Cora', 'admin');
    await user('system', auditor.email, 'Auditor', 'auditor');
  }, 90_000);

  test('leads in three clicks from an e-mail address to a receipt of both nodes, and says why', async () => {
    const token = await signIn('ben@acme.example', 'laptop');
    const sockets = await Promise.all(urls.map((base) => connect(base, token)));
    const page = await visit(operator);
    await page.getByLabel(/^E-mail, name/).fill('ben@acme');
    await page.getByRole('button', { name: 'End all sessions of ben@acme.example …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 session and 2 connections end on every node').waitFor();
    await dialog.getByRole('button', { name: 'End all sessions' }).click();
    await dialog.getByText('Give a reason').waitFor();
    await dialog.getByLabel('Reason, for the audit').fill('laptop was stolen');
    await dialog.getByRole('button', { name: 'End all sessions' }).click();
    await dialog.locator('.steps').getByText('receipt: effective').waitFor();
    const steps = await dialog.locator('.steps li').allInnerTexts();
    expect(steps.filter((text) => /node .+ confirmed/.test(text))).toHaveLength(2);
    expect(steps.every((text) => /^\d+ ms/.test(text.trim()))).toBe(true);
    expect(steps.at(-1)).toContain('1 session ended, 2 connections closed');
    const [closed] = await Promise.all(sockets.map(({ closed }) => closed));
    await page.getByRole('button', { name: 'Close' }).click();

    const closeId = String(closed!.reason.close_id);
    expect(closeId).toMatch(/^[0-9a-f]{12}$/);
    await page.getByRole('link', { name: 'Why', exact: true }).click();
    await page.getByLabel('Why was it closed').fill(closeId);
    await page.keyboard.press('Enter');
    const sentence = page.locator('.sentence');
    await sentence.waitFor();
    expect(await sentence.innerText()).toContain(
      'session_revoked: its session was revoked, by operator@system.test',
    );
    expect(await sentence.innerText()).toContain('a person must sign in again');
    expect(page.url()).toContain(closeId);
  });

  test('asks for the password when the server does, above the change that goes on with it', async () => {
    await signIn('ben@acme.example', 'laptop');
    const page = await visit(operator, '#/sessions?q=ben@');
    await outlast();
    const begin = page.getByRole('button', { name: 'End all sessions of ben@acme.example …' });
    await begin.click();
    const change = page.getByRole('dialog', { name: /^End all sessions of/ });
    await change.getByLabel('Reason, for the audit').fill('laptop was stolen');
    await page.keyboard.press('Enter');
    const proof = page.getByRole('dialog', { name: 'Your password, once more' });
    await proof.waitFor();
    await change.getByText('waiting for your password …').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await change.getByText('refused: not without your password').waitFor();
    await page.keyboard.press('Escape');
    await begin.click();
    await change.getByLabel('Reason, for the audit').fill('laptop was stolen');
    await page.keyboard.press('Enter');
    await proof.waitFor();
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await proof.getByText('The password is wrong.').waitFor();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await change.locator('.steps').getByText('receipt: effective').waitFor();
    expect(await change.locator('.steps').innerText()).toContain('sent again, with the password');
  });

  test('inspects a token without keeping it in the page, the URL or the storage', async () => {
    const token = await signIn('ben@acme.example', 'phone');
    const page = await visit(operator, '#/why');
    await page.getByLabel('Why was it closed').fill(token);
    expect(await page.getByLabel('Why was it closed').getAttribute('type')).toBe('password');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.locator('.sentence', { hasText: 'It is accepted.' }).waitFor();
    const kept = await page.evaluate(() =>
      [
        location.href,
        JSON.stringify(history.state),
        ...[localStorage, sessionStorage].flatMap((kept) => Object.values(kept) as string[]),
        ...[...document.querySelectorAll('input')].map(({ value }) => value),
        document.body.innerText,
      ].join('\n'),
    );
    expect(kept).not.toContain(token.slice(0, 40));
    expect(await page.evaluate(() => document.cookie)).not.toMatch(/wr_at|wr_rt/);
  });

  test('shows an auditor everything and no control that changes something', async () => {
    await signIn('ben@acme.example', 'desk');
    const page = await visit(auditor, '#/sessions?q=ben@');
    await page.locator('tbody tr', { hasText: 'desk' }).click();
    await page.locator('.timeline li').first().waitFor();
    const controls = await page.getByRole('button').allInnerTexts();
    expect(controls.filter((text) => /end|close|withdraw|suspend|sign off/i.test(text))).toEqual(
      [],
    );
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('Everything serves.').waitFor();
  });

  test('shows an admin their own tenant only, with live connections that operators close', async () => {
    const token = await signIn('ben@acme.example', 'tablet');
    await Promise.all(urls.map((base) => connect(base, token)));
    const page = await visit(cora, '#/sessions?state=all');
    await page.locator('tbody tr', { hasText: 'ben@acme.example' }).first().waitFor();
    expect(await page.getByText(operator.email).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Overview' }).count()).toBe(0);
    await page.locator('tbody tr', { hasText: 'tablet' }).click();
    const connections = page.getByRole('grid', { name: 'Live connections' });
    await connections.getByRole('row').nth(2).waitFor();
    expect(await connections.getByRole('row').count()).toBe(3);
    expect(await connections.getByRole('button', { name: 'Close …' }).count()).toBe(0);
  });

  test('runs a drill in the page, over its own session, and erases what it made', async () => {
    const page = await visit(operator, '#/drills');
    await page.getByRole('checkbox', { name: /^D12 / }).waitFor();
    for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
    await page.getByRole('checkbox', { name: /^D7 / }).check();
    await page.getByRole('button', { name: 'Run 1 drill' }).click();
    await page.getByText('Nothing was found.').waitFor();
    await page.getByText('1 tenant erased').waitFor();
    const drill = page.getByRole('region', { name: /^D7/ });
    expect(await drill.getByText(/\d+ ms of at most \d+ ms/).count()).toBeGreaterThan(0);
  });

  test('says what a person may do in a room, and what another role would change', async () => {
    const token = await signIn(cora.email, 'desk');
    const room = { name: 'Staff', slug: 'staff', visibility: 'private' };
    await call(urls[0], '/v1/rooms', { token, body: room });
    await signIn('ben@acme.example', 'desk');
    const page = await visit(operator, '#/try-as');
    await page.getByLabel(/^Person/).fill('ben@acme.example');
    await page.getByLabel(/^Room/).fill('staff');
    await page.keyboard.press('Enter');
    const write = page.locator('tbody tr', { has: page.getByText('write', { exact: true }) });
    await write.getByText('read.8_not_public').waitFor();
    await page.getByLabel('Role in the room').selectOption('viewer');
    await write.getByText('write.2_viewer').waitFor();
  });

  test('invites somebody by a link that is shown once, and withdraws it', async () => {
    const page = await visit(operator, '#/invites');
    await page.getByText('No invitation is alive.').waitFor();
    await page.getByLabel('Invite this address').fill('dora@acme.example');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('lets this address register in acme, once, for a week').waitFor();
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    const link = await dialog.locator('.secret code').innerText();
    await dialog.getByRole('button', { name: 'Close' }).click();
    const { body } = await call(urls[0], '/v1/auth/register', {
      body: {
        tenant: 'acme',
        email: 'dora@acme.example',
        password: PASSWORD,
        invite: /wr_reg_[\w-]+/.exec(link)![0],
      },
    });
    expect(body.token_type).toBe('Bearer');
    await page.getByLabel('How often').fill('3');
    await page.getByRole('button', { name: 'Invite …' }).click();
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.locator('.secret code').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    const row = page.locator('tbody tr', { hasText: 'anybody with the link' });
    await row.getByText('0 of 3').waitFor();
    await row.getByRole('button', { name: 'Withdraw …' }).click();
    await dialog.getByRole('button', { name: 'Withdraw the link' }).click();
    await dialog.locator('.steps').getByText('done').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await row.waitFor({ state: 'detached' });
  });

  test('verifies on the spot that the audit is whole, and says what is not', async () => {
    const page = await visit(auditor, '#/audit');
    const check = page.getByRole('group', { name: 'Is the chain whole?' });
    await check.getByRole('button', { name: 'Verify now' }).click();
    await check.getByText(/Whole \d+ records in \d+ chains?, verified in/).waitFor();
    const [altered] = await query<{ n: string }>(
      databaseUrl,
      `UPDATE audit_events SET ip = '192.0.2.1' WHERE id = (SELECT id FROM audit_events WHERE event = 'user_created' LIMIT 1) RETURNING n`,
    );
    await check.getByRole('button', { name: 'Verify again' }).click();
    await check.getByText('Not whole 1 finding').waitFor();
    await check.getByText(`record ${altered!.n} (user_created) was altered`).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('rotates the signing key, and shows what withdrawing one ends before it does', async () => {
    const page = await visit(operator, '#/keys');
    await page.getByRole('button', { name: 'Rotate …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Nothing ends').waitFor();
    await dialog.getByLabel('Reason, for the audit').fill('of age');
    await page.keyboard.press('Enter');
    await dialog.locator('.steps').getByText('receipt: effective').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    const announced = page.locator('tbody tr', { hasText: 'announced' });
    await announced.waitFor();
    const signing = page.locator('tbody tr', { hasText: 'signing' });
    await signing.getByRole('button', { name: 'Withdraw …' }).click();
    await dialog.getByText(/^Of \d+ connections? that (is|are) open now/).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await announced.getByRole('button', { name: 'Withdraw …' }).click();
    await dialog.getByLabel('Reason, for the audit').fill('not needed');
    await page.keyboard.press('Enter');
    await dialog.locator('.steps').getByText('receipt: effective').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.locator('tbody tr', { hasText: 'withdrawn' }).waitFor();
  });

  test('refuses a wrong password in words, and a member altogether', async () => {
    const { page } = await open(`${urls[0]}/console`);
    await page.getByLabel('Tenant').fill('acme');
    await page.getByLabel('E-mail').fill('ben@acme.example');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('Tenant, e-mail or password is wrong.').waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('The console is for operators').waitFor();
  });

  test.each([
    ['light', ['Why', 'Overview', 'Review'], { colorScheme: 'light' as const }],
    ['dark', ALL_PAGES, { colorScheme: 'dark' as const }],
    ['on a phone', ALL_PAGES, { viewport: { width: 360, height: 740 } }],
  ])('shows hostile names as text, and axe-core finds nothing, %s', async (how, pages, options) => {
    await signIn('ben@acme.example', HOSTILE);
    const page = await visit(operator, '#/sessions?q=ben@', options);
    const clean = async (where: string) => {
      // On a phone the colours are those of the light page, and the parts the same.
      if (how !== 'on a phone')
        expect([where, await accessibilityFaults(page)]).toEqual([where, []]);
      const wide = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect([where, wide]).toEqual([where, 0]);
    };
    await page.locator('tbody tr', { hasText: 'ben@' }).first().waitFor();
    await clean('sessions');
    await page.locator('tbody tr', { hasText: 'live' }).first().click();
    await page.locator('.timeline li').first().waitFor();
    await page.getByText(HOSTILE, { exact: false }).first().waitFor();
    await clean('session');
    await page.getByRole('button', { name: 'End session …' }).click();
    await page.getByRole('dialog').waitFor();
    await clean('dialog');
    await page.keyboard.press('Escape');
    for (const name of pages) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.locator('main .pane, main .why').first().waitFor();
      await clean(name);
    }
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toContain('Wardroom console');
  });

  test('is worked by the keyboard alone', async () => {
    await signIn('ben@acme.example', 'that stays');
    await signIn('ben@acme.example', 'first');
    await signIn('ben@acme.example', 'second');
    const page = await visit(operator, '#/sessions?q=ben@');
    await page.locator('tbody tr').first().focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'End 1 session …' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'End 2 sessions …' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('both at once');
    await page.keyboard.press('Enter');
    await page.locator('.steps').getByText('receipt: effective').nth(1).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'End 2 sessions …' }).waitFor({ state: 'detached' });
    await page.locator('main:focus').waitFor();
    await page.locator('tbody tr').first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'The session' }).waitFor();
  });
});
