/** The console in pictures: people and trouble for it to show, then its pages one by one. */
import { join } from 'node:path';
import { WebSocket } from 'ws';

const PASSWORD = 'a-password-of-the-pictures';
const LONG =
  'Maximiliane Philippa von und zu Hohenlohe-Schillingsfürst-Waldenburg <script>alert(1)</script>';

/** Sessions on both nodes, some that ended, somebody who was refused. Answers how to let go. */
export async function fillForConsole(urls, operator) {
  const [url, other] = urls;
  const call = async (path, body, token, method = body === undefined ? 'GET' : 'POST') => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return /** @type {Record<string, any>} */ (await answer.json());
  };
  const login = (tenant, email, device, password = PASSWORD) =>
    call('/v1/auth/login', { tenant, email, password, device });
  const { access_token: token } = await login('system', operator.email, 'setup', operator.password);
  await call('/v1/admin/tenants', { slug: 'acme', name: 'Acme' }, token);
  const people = [
    { email: 'ben@acme.example', name: 'Ben', role: 'member' },
    { email: 'cora@acme.example', name: 'Cora', role: 'admin' },
    { email: 'max@acme.example', name: LONG, role: 'member' },
  ];
  for (const person of people)
    await call('/v1/admin/tenants/acme/users', { ...person, password: PASSWORD }, token);
  const auditor = { email: 'auditor@system.test', name: 'Auditor', role: 'auditor' };
  await call('/v1/admin/tenants/system/users', { ...auditor, password: PASSWORD }, token);
  const account = await call(
    '/v1/admin/tenants/acme/service-accounts',
    { name: 'billing backend', scopes: ['users', 'sessions', 'revoke'] },
    token,
  );
  await call(`/v1/admin/tenants/acme/service-accounts/${account.id}/keys`, {}, token);
  const cora = await login('acme', 'cora@acme.example', 'desk');
  const staff = { name: 'Staff', slug: 'staff', visibility: 'private' };
  await call('/v1/rooms', staff, cora.access_token);
  const open = { name: 'Town square', slug: 'square', visibility: 'public' };
  await call('/v1/rooms', open, cora.access_token);
  const sockets = [];
  const connect = async (base, session) => {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/v1/ws`, 'wardroom.v1', {
      headers: { authorization: `Bearer ${session.access_token}` },
    });
    sockets.push(socket);
    await new Promise((resolve, reject) => {
      socket.on('message', (data) => {
        if (/** @type {Buffer} */ (data).includes('"auth_ok"')) resolve(null);
      });
      socket.on('error', reject);
    });
    for (const room of ['square', 'staff'])
      socket.send(JSON.stringify({ type: 'subscribe', id: room, room }));
  };
  const laptop = await login('acme', 'ben@acme.example', 'laptop');
  const phone = await login('acme', 'ben@acme.example', 'phone');
  await connect(url, laptop);
  await connect(other, laptop);
  await connect(other, phone);
  await connect(url, await login('acme', 'max@acme.example', 'x'.repeat(80)));
  for (let i = 0; i < 24; i += 1) {
    const session = await login('acme', 'cora@acme.example', `browser ${i}`);
    if (i % 3 === 0) await call('/v1/auth/logout', {}, session.access_token);
  }
  const tablet = await login('acme', 'ben@acme.example', 'tablet');
  await connect(url, tablet);
  await call('/v1/admin/revocations', { session: tablet.session_id, reason: 'lost tablet' }, token);
  return () => sockets.forEach((socket) => socket.terminate());
}

/** `wanted`: names of pictures; absent: all. */
export async function shootConsole(
  browser,
  { url, operator, folder, name, options, wanted = SCENES },
) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  // The view before may have ended theirs.
  for (const device of ['desk', 'x'.repeat(80)])
    await fetch(`${url}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        tenant: 'acme',
        email: 'max@acme.example',
        password: PASSWORD,
        device,
      }),
    });
  const at = (hash) => page.goto(`${url}/console#/${hash}`);
  await page.goto(`${url}/console`);
  await page.getByLabel('Password').waitFor();
  const shoot = async (scene) => {
    if (!wanted.includes(scene)) return;
    const file = `console-${name}-${scene}.png`;
    await page.screenshot({ path: join(folder, file) });
    console.log(file);
  };
  await shoot('sign-in');
  await page.getByLabel('E-mail').fill(operator.email);
  await page.getByLabel('Password').fill(operator.password);
  await page.keyboard.press('Enter');
  const rows = () => page.locator('.table tbody tr').first();
  await rows().waitFor();
  await shoot('sessions');
  await page.getByLabel(/^E-mail, name/).fill('ben@');
  await page.getByRole('button', { name: /^End all sessions of ben/ }).waitFor();
  await shoot('ben');
  for (const [scene, run] of Object.entries(scenes)) {
    if (!wanted.includes(scene)) continue;
    await run(page, at);
    await shoot(scene);
  }
  await context.close();
}

const scenes = {
  session: async (page, at) => {
    await at('sessions?q=ben@');
    await page.locator('.table tbody tr', { hasText: 'laptop' }).click();
    await page.locator('.timeline li').first().waitFor();
  },
  'end-dialog': async (page, at) => {
    await at('sessions?q=max@');
    await page.getByRole('button', { name: /^End all sessions of max/ }).click();
    await page.getByRole('dialog').waitFor();
  },
  password: async (page) => {
    const refusal = {
      code: 'step_up_required',
      action: 'none',
      status: 403,
      title: 'x',
      detail: 'x',
    };
    await page.route('**/v1/admin/revocations*', (route) =>
      route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify(refusal),
      }),
    );
    await page.getByLabel('Reason, for the audit').fill('left the company');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Your password, once more' }).waitFor();
    await page.unroute('**/v1/admin/revocations*');
  },
  'password-refused': async (page) => {
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The password is wrong.').waitFor();
  },
  receipt: async (page) => {
    for (let open = 2; open > 0; open -= 1) await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^End all sessions of max/ }).click();
    await page.getByLabel('Reason, for the audit').fill('left the company');
    await page.keyboard.press('Enter');
    await page.locator('.steps').getByText('receipt: effective').waitFor();
  },
  why: async (page, at) => {
    if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape');
    await at('sessions?state=ended&q=ben@');
    await page.locator('.table tbody tr').first().click();
    await page.getByRole('link', { name: 'why?' }).first().click();
    await page.locator('.sentence').waitFor();
  },
  'why-person': async (page, at) => {
    await at('why/ben%40acme.example');
    await page.locator('.sentence').waitFor();
  },
  overview: async (page, at) => {
    await at('overview');
    await page.locator('.table tbody tr').first().waitFor();
  },
  review: async (page, at) => {
    await at('review');
    await page.getByRole('heading', { name: 'Signed off' }).waitFor();
  },
  audit: async (page, at) => {
    await at('audit');
    await page.getByRole('button', { name: 'Follow live' }).click();
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByRole('button', { name: 'Verify again' }).waitFor();
    await page.locator('.table tbody tr').nth(5).waitFor();
  },
  'audit-record': async (page) => {
    await page.locator('.table tbody tr').nth(3).click();
    await page.getByRole('dialog').waitFor();
  },
  people: async (page, at) => {
    if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape');
    await at('people?tenant=acme');
    await page.locator('.table tbody tr').nth(2).waitFor();
  },
  person: async (page) => {
    await page.locator('.table tbody tr', { hasText: 'max@' }).click();
    await page.getByRole('dialog').waitFor();
  },
  invites: async (page, at) => {
    await page.keyboard.press('Escape');
    await at('invites?tenant=acme');
    await page.getByLabel('Invite this address').fill('dora@acme.example');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.locator('.secret code').waitFor();
  },
  'invites-list': async (page) => {
    await page.keyboard.press('Escape');
    await page.locator('.table tbody tr').first().waitFor();
  },
  tenants: async (page, at) => {
    await page.keyboard.press('Escape');
    await at('tenants');
    await page.locator('.table tbody tr').nth(1).waitFor();
  },
  services: async (page, at) => {
    await at('services?tenant=acme');
    await page.getByText('billing backend').first().waitFor();
  },
  keys: async (page, at) => {
    await at('keys');
    await page.locator('.table tbody tr').first().waitFor();
  },
  'key-withdrawal': async (page) => {
    await page.getByRole('button', { name: 'Withdraw …' }).first().click();
    await page.getByRole('dialog').waitFor();
  },
  config: async (page, at) => {
    await page.keyboard.press('Escape');
    await at('config');
    await page.locator('.table tbody tr').first().waitFor();
  },
  'try-as': async (page, at) => {
    await at('try-as');
    await page.getByLabel(/^Person/).fill('ben@acme.example');
    await page.getByLabel(/^Room/).fill('staff');
    await page.keyboard.press('Enter');
    await page.getByLabel('Role in the room').selectOption('member');
    await page.locator('.table .badge', { hasText: 'yes' }).nth(3).waitFor();
  },
  drills: async (page, at) => {
    await at('drills');
    for (let n = 1; n <= 12; n += 1) {
      const box = page.getByRole('checkbox', { name: new RegExp(`^D${n} `) });
      await box.waitFor();
      if (![3, 7, 9].includes(n)) await box.uncheck();
    }
    await page.getByRole('button', { name: 'Run 3 drills' }).click();
    await page.getByText('Nothing was found.').waitFor({ timeout: 60_000 });
  },
};

const SCENES = ['sign-in', 'sessions', 'ben', ...Object.keys(scenes)];
