/** The chat in its states: two people, three rooms, and what can happen to a connection. */
import { join } from 'node:path';

const HOSTILE = '<img src=x onerror=alert(1)>';

/** Rooms with a history, made through the public REST API. */
export async function furnish(url, passwordOf) {
  const call = async (method, path, token, body, headers = {}) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return /** @type {Promise<any>} */ (answer.json());
  };
  const login = async (name) => {
    const email = `${name}@demo.test`;
    const fields = { tenant: 'demo', email, password: passwordOf(email), device: 'a script' };
    return (await call('POST', '/v1/auth/login', undefined, fields)).access_token;
  };
  const [admin, ada, ben] = await Promise.all(['admin', 'ada', 'ben'].map(login));
  const say = (token, room, text, more = {}) =>
    call(
      'POST',
      `/v1/rooms/${room}/messages`,
      token,
      { body: { text }, ...more },
      {
        'idempotency-key': crypto.randomUUID(),
      },
    );
  const { user_id: benId } = await call('GET', '/v1/me', ben);
  const plans = await call('POST', '/v1/rooms', ada, {
    name: 'Release plans',
    slug: 'plans',
    visibility: 'private',
  });
  await call('PATCH', `/v1/rooms/${plans.id}`, ada, {
    topic: 'What goes out when, and who looks at it',
  });
  await call('POST', `/v1/rooms/${plans.id}/members`, ada, { user: benId, role: 'member' });
  const root = await say(ben, 'plans', 'The **release** is ready on node `a`. Who looks at it?');
  await say(ada, 'plans', 'I do. The list is at https://example.com/list, as always.');
  await say(
    ada,
    'plans',
    '> The release is ready\n\nWhich commit?\n```\ngit log --oneline -1\n```',
  );
  await say(ben, 'plans', '@Ada it is the one of this morning', {
    mentions: [(await call('GET', '/v1/me', ada)).user_id],
    reply_to: root.message_id,
  });
  await say(ben, 'plans', HOSTILE);
  await say(ben, 'plans', 'שלום, this is right to left');
  await call('PUT', `/v1/rooms/plans/pins/${root.message_id}`, ada, {});
  for (let i = 1; i <= 40; i += 1)
    await say(i % 3 === 0 ? ada : ben, 'lobby', `Message ${i} of a long day`);
  const dm = await call('POST', '/v1/rooms', ben, {
    visibility: 'direct',
    members: [(await call('GET', '/v1/me', ada)).user_id],
  });
  await say(ben, dm.id, 'Do you have a minute?');
  await call('POST', '/v1/rooms', admin, {
    name: 'Watercooler',
    slug: 'water',
    visibility: 'public',
  });
  return { call, ada, ben, admin, say, plans, root: root.message_id };
}

const sign = async (page, password) => {
  await page.getByLabel('Workspace').fill('demo');
  await page.getByLabel('E-mail').fill('ada@demo.test');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
};

/** One page through its states. `rooms` is what `furnish` answered. */
export async function shootChat(browser, { url, folder, name, options, password, rooms }) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  page.on('console', (line) => line.type() === 'error' && console.error(`${name}: ${line.text()}`));
  page.setDefaultTimeout(15_000);
  const shot = async (state) => {
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `chat-${name}-${state}.png`) });
    console.log(`chat-${name}-${state}.png`);
  };
  try {
    await visitStates(page, { url, options, password, rooms, shot });
  } catch (error) {
    await shot('failed');
    throw error;
  }
  await context.close();
}

async function visitStates(page, { url, options, password, rooms, shot }) {
  const isPhone = (options.viewport?.width ?? 0) < 700;
  await page.goto(`${url}/chat`);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await shot('sign-in');
  await sign(page, password);
  await page.getByText('Release plans').waitFor();
  await page.locator('.row-last').first().waitFor();
  await shot('rooms');
  await page.getByRole('link', { name: /Release plans/ }).click();
  await page.getByText('right to left').first().waitFor();
  await shot('room');
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox').fill('b');
  await page.getByRole('option').first().waitFor();
  await shot('finder');
  await page.keyboard.press('Escape');
  const input = page.getByRole('textbox', { name: /^Message/ });
  await input.fill('Thank you, @B');
  await page.getByRole('option', { name: /Ben/ }).waitFor();
  await shot('mention');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.msg', { hasText: 'Thank you' }).last().waitFor();
  await page.locator('.msg').first().hover();
  await page
    .locator('.msg')
    .first()
    .getByRole('button', { name: /What to do/ })
    .click();
  await shot('menu');
  await page.getByRole('menuitem', { name: 'Thread' }).click();
  await page.getByRole('region', { name: 'Thread' }).getByText('this morning').waitFor();
  await shot('thread');
  if (!isPhone) {
    await page.getByRole('button', { name: 'Search messages' }).click();
    await page.getByRole('searchbox').fill('release');
    await page.keyboard.press('Enter');
    await page.locator('mark').first().waitFor();
    await shot('search');
    await page.getByRole('button', { name: /Members/ }).click();
    await page.locator('.member').nth(1).waitFor();
    await shot('members');
  }
  await page.locator('.pane-side').getByRole('button', { name: 'Close' }).click();
  if (isPhone) await page.getByRole('button', { name: /Back/ }).click();
  await page.getByRole('button', { name: 'You', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await page.locator('.devices li').first().waitFor();
  await shot('settings');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Browse rooms' }).click();
  await page.getByText('Watercooler').waitFor();
  await shot('browse');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: /Lobby/ }).click();
  await page.locator('.msg', { hasText: 'Message 40' }).waitFor();
  await page.locator('.list').evaluate((list) => list.scrollTo(0, 0));
  await page.getByRole('button', { name: /To the newest/ }).waitFor();
  await shot('scrolled');
  await page.getByRole('button', { name: /To the newest/ }).click();
  await page.evaluate(() => (globalThis.document.documentElement.dir = 'rtl'));
  await shot('right-to-left');
  await page.evaluate(() => (globalThis.document.documentElement.dir = 'ltr'));
  if (rooms.freeze !== undefined) {
    await rooms.freeze();
    await page.locator('.banner', { hasText: 'Paused.' }).waitFor();
    await shot('paused');
    await page.locator('.banner').waitFor({ state: 'detached', timeout: 30_000 });
  }
  await input.fill('A draft that is kept');
  await rooms.call('POST', '/v1/auth/logout', await rooms.fresh(), { scope: 'all' });
  await page.locator('.banner', { hasText: 'Signed out.' }).waitFor();
  await shot('signed-out');
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByLabel('Password', { exact: true }).waitFor();
  await shot('again');
}
