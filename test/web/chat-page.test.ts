/**
 * The chat in a real browser: two people on two nodes, what they do to each other, and what they
 * read when a session, a network or a right is taken away.
 */
import { beforeAll, expect, test } from '@jest/globals';
import { accessibilityFaults } from '../support/browser-pages.js';
import { banner, ChatPages, enter, message, say, writing } from '../support/chat-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { describeWith, testWith } from '../support/needs.js';
import { call, type SignedIn, type World } from '../support/world.js';

const described = describeWith(CHROMIUM, 'the chat in a real browser');
const HOSTILE = [
  '<img src=x onerror="document.title=1">',
  '<script>document.title=2</script>',
  '[x](javascript:document.title=3)',
  'javascript:alert(1)',
  '"><svg/onload=document.title=4>',
  '\u202Eabc\u202C {{7*7}} ${7*7}',
  '```\n<b>bold</b>\n```',
  '**<i>a</i>** `<u>b</u>` https://example.com/"onmouseover="document.title=5',
];

let urls: string[];
let world: World;
let ada: SignedIn;
let ben: SignedIn;
const pages = new ChatPages();
const visit = pages.visit.bind(pages);
const publish = pages.publish.bind(pages);

described('the chat', () => {
  beforeAll(async () => {
    await pages.start(2, { tenant: { allow_guests: true } });
    ({ urls, world } = pages);
    [ada, ben] = (await world.users('Ada', 'Ben')) as [SignedIn, SignedIn];
  }, 90_000);

  test('two people on two nodes read, answer, edit, react and mention; a badge counts what was not read', async () => {
    const room = await world.room(ada, { name: 'Plans' }, [[ben, 'member']]);
    await world.room(ada, { name: 'Other' });
    const [hers, his] = await Promise.all([visit(ada), visit(ben, { on: 1 })]);
    await Promise.all([enter(hers, /Plans/), enter(his, /Plans/)]);
    await writing(hers).fill('the first **draft**');
    await hers.keyboard.press('Enter');
    await message(his, 'the first draft').waitFor();
    await writing(his).press('a');
    await hers.getByText('Ben is typing').waitFor();
    await writing(his).fill('');

    // Arrow up edits the newest of one's own.
    await writing(hers).press('ArrowUp');
    await writing(hers).fill('the second draft');
    await hers.keyboard.press('Enter');
    await message(his, 'the second draft').getByText('(edited)').waitFor();

    await message(his, 'the second draft').hover();
    await message(his, 'the second draft').getByRole('button', { name: 'React' }).click();
    await his.getByRole('menuitem', { name: '🎉' }).click();
    await message(hers, 'the second draft').getByRole('button', { name: '🎉 1' }).waitFor();

    await message(his, 'the second draft').getByRole('button', { name: 'Reply' }).click();
    await say(his, 'I like it');
    await message(hers, 'I like it')
      .getByRole('button', { name: 'Ada: the second draft' })
      .waitFor();
    await message(hers, 'the second draft').getByRole('button', { name: '1 reply' }).click();
    const thread = hers.getByRole('region', { name: 'Thread' });
    await thread.getByText('I like it').waitFor();
    await thread.getByRole('textbox').fill('So do I');
    await hers.keyboard.press('Enter');
    await message(his, 'So do I').waitFor();

    await hers.getByRole('link', { name: /Other/ }).click();
    await writing(his).fill('@Ad');
    await his.getByRole('option', { name: '@Ada' }).waitFor();
    await his.keyboard.press('Tab');
    await his.keyboard.press('Enter');
    await hers.getByRole('link', { name: /Plans/ }).getByText('1 mention').waitFor();
    await enter(hers, /Plans/);
    await hers.locator('.msg.for-me', { hasText: '@Ada' }).waitFor();
    await hers.locator('.new-line').waitFor();
    await hers
      .getByRole('link', { name: /Plans/ })
      .getByText('1 mention')
      .waitFor({ state: 'detached' });
    await his.getByText('Read by Ada').waitFor();

    await message(hers, 'So do I').hover();
    await message(hers, 'So do I')
      .getByRole('button', { name: /What to do/ })
      .click();
    await hers.getByRole('menuitem', { name: 'Delete' }).click();
    await hers.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await his.locator('.middle').getByText('This message was deleted.').waitFor();
    expect(
      (await call(urls[1]!, `/v1/rooms/${room}/messages`, { token: ben.token })).body.items,
    ).toHaveLength(4);
  }, 60_000);

  test('a logout elsewhere closes this tab at once and says why; the draft and the room are there again after signing in', async () => {
    const room = await world.room(ada, { name: 'Kept' }, [[ben, 'member']]);
    await publish(ben, room, 'before the logout');
    const page = await visit(ada);
    await enter(page, /Kept/);
    await message(page, 'before the logout').waitFor();
    await writing(page).fill('half a sentence');
    const other = await page.context().newPage();
    await other.goto(`${urls[0]}/chat`);
    await other.getByRole('button', { name: 'You', exact: true }).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    await banner(page, 'Signed out. This session was ended: in another tab').waitFor();
    expect(await writing(page).getAttribute('readonly')).not.toBeNull();
    await page.getByText('Locked: signed out').waitFor();
    expect(await message(page, 'before the logout').count()).toBe(0);
    await other.getByRole('button', { name: 'Sign in' }).waitFor();

    await page.getByRole('button', { name: 'Sign in again' }).click();
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.keyboard.press('Enter');
    await message(page, 'before the logout').waitFor();
    expect(await writing(page).inputValue()).toBe('half a sentence');
    await page.reload();
    await message(page, 'before the logout').waitFor();
    expect(await writing(page).inputValue()).toBe('half a sentence');
  }, 60_000);

  test('without a network a message waits and is stored once; taken out of the room, its reader learns it', async () => {
    const room = await world.room(ada, { name: 'Away' }, [[ben, 'member']]);
    const page = await visit(ben, { on: 1 });
    await enter(page, /Away/);
    await say(page, 'while it is there');
    await page.context().setOffline(true);
    await writing(page).fill('while it is away');
    await page.keyboard.press('Enter');
    await message(page, 'while it is away').locator('.fate').waitFor();
    await page.context().setOffline(false);
    await page.locator('.msg.stored', { hasText: 'while it is away' }).waitFor();
    const { items } = (await call(urls[0]!, `/v1/rooms/${room}/messages`, { token: ada.token }))
      .body;
    expect(items.filter(({ body }: any) => body.text === 'while it is away')).toHaveLength(1);

    const member = `/v1/rooms/${room}/members/${ben.id}`;
    await call(urls[0]!, member, { method: 'PATCH', token: ada.token, body: { role: 'viewer' } });
    await banner(page, 'Read-only here. You are a viewer of this room.').waitFor();
    await page.getByPlaceholder('Locked: read-only for you').waitFor();
    await call(urls[0]!, member, { method: 'DELETE', token: ada.token });
    await banner(page, 'Not in the room.').waitFor();
    await page.getByRole('link', { name: /Away/ }).waitFor({ state: 'detached' });
  }, 60_000);

  test('a device is ended with its receipt, and an account that is suspended is told to stop', async () => {
    const cleo = await world.user('Cleo');
    const page = await visit(cleo);
    await page.getByRole('button', { name: 'You', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await page
      .locator('.devices li', { hasText: 'this one' })
      .getByText('Chrome on Linux')
      .waitFor();
    await page.getByRole('button', { name: 'Sign out: unnamed device' }).click();
    await page.getByText(/1 session ended, in force on every node after \d+ ms/).waitFor();
    expect(await page.locator('.receipt li').count()).toBe(2);
    await call(urls[0]!, '/v1/me', { token: cleo.token, expect: 401 });
    await page.keyboard.press('Escape');
    await call(urls[0]!, `/v1/admin/users/${cleo.id}`, {
      method: 'PATCH',
      token: world.operator(),
      body: { state: 'suspended' },
    });
    await banner(page, 'Suspended. Your account is suspended.').waitFor();
    expect(await page.getByRole('button', { name: 'Sign in again' }).count()).toBe(0);
  }, 60_000);

  test('links open their forms: an invitation to the workspace, one to a room, and a new password', async () => {
    const operator = world.operator();
    const invited = await call(urls[0]!, `/v1/admin/tenants/${world.tenant.id}/invites`, {
      token: operator,
      body: {},
    });
    const room = await world.room(ada, { name: 'By link' });
    const { url } = (
      await call(urls[0]!, `/v1/rooms/${room}/invites`, { token: ada.token, body: {} })
    ).body;
    const page = await visit(null, { path: new URL(invited.body.url).hash });
    await page.getByRole('textbox', { name: 'Workspace' }).fill(world.tenant.slug);
    await page.getByLabel('Your name').fill('Dora');
    await page.getByLabel('E-mail').fill('dora@example.com');
    await page.getByRole('textbox', { name: 'New password' }).fill('a-long-password-of-dora');
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
    await page.goto(url);
    await page.getByRole('heading', { name: 'By link' }).waitFor();
    await say(page, 'here I am');

    const me = (await page.evaluate(`fetch('/v1/me').then((answer) => answer.json())`)) as {
      user_id: string;
    };
    const reset = await call(urls[0]!, `/v1/admin/users/${me.user_id}/password-reset`, {
      token: operator,
      body: {},
    });
    const other = await visit(null, { path: new URL(reset.body.url).hash });
    await other.getByRole('textbox', { name: 'New password' }).fill('another-password-of-dora');
    await other.keyboard.press('Enter');
    await other.getByText('The password is set').waitFor();
    await banner(page, 'Signed out.').waitFor();
    await other.reload();
    await other.getByRole('textbox', { name: 'New password' }).fill('a-third-password-of-dora');
    await other.keyboard.press('Enter');
    await other.getByText('This link was used, withdrawn or has expired.').waitFor();
  }, 60_000);

  test('a guest looks in and cannot write', async () => {
    await world.room(ada, { name: 'Open to all', visibility: 'public' });
    const page = await visit(null);
    await page.getByLabel('Workspace').fill(world.tenant.slug);
    await page.getByRole('button', { name: 'Look in as a guest' }).click();
    await page.getByRole('button', { name: 'Browse rooms' }).click();
    await page.getByRole('button', { name: 'Look in: Open to all' }).click();
    await banner(page, 'Read-only here. Guests read; they do not write.').waitFor();
    await page.getByPlaceholder('Locked: read-only for you').waitFor();
  }, 60_000);

  test('a link leads to a message among many, and what is read stays in place while more is loaded above', async () => {
    const people = await world.users('Fay', 'Gus', 'Hal');
    const room = await world.room(
      people[0]!,
      { name: 'Long' },
      people.slice(1).map((who) => [who, 'member']),
    );
    await Promise.all(
      people.map(async (who, at) => {
        for (let i = 0; i < 50; i += 1) await publish(who, room, `${at}.${i} of many`);
      }),
    );
    const page = await visit(people[0]!, { path: `/${room}?at=20` });
    const linked = page.locator('.msg[data-seq="20"]');
    await linked.waitFor();
    expect(await linked.evaluate((row) => row === document.activeElement)).toBe(true);
    await page.getByRole('button', { name: 'To the newest' }).click();
    await page.locator('.msg[data-seq="150"]').waitFor();
    await expect(linked.count()).resolves.toBe(0);

    const read = page.locator('.msg[data-seq="130"]');
    const top = () => read.evaluate((row) => row.getBoundingClientRect().top);
    await read.evaluate((row) => row.scrollIntoView());
    const before = await top();
    await page.locator('.msg[data-seq="110"]').waitFor({ state: 'attached' });
    expect(Math.abs((await top()) - before)).toBeLessThan(4);
    await page.locator('.list').evaluate((list) => list.scrollTo(0, 0));
    await page.getByText('The beginning of the room.').waitFor({ state: 'attached' });
  }, 60_000);

  test('hostile names and messages are text, and nothing else', async () => {
    const eve = await world.user('eve');
    const name = HOSTILE[0]!;
    await call(urls[0]!, '/v1/me', { method: 'PATCH', token: eve.token, body: { name } });
    const room = await world.room(eve, { name: HOSTILE[1]! });
    for (const text of HOSTILE) await publish(eve, room, text);
    const page = await visit(eve);
    await page.getByRole('link', { name: /script/ }).click();
    await page
      .locator('.msg')
      .nth(HOSTILE.length - 1)
      .waitFor();
    const texts = await page.locator('.msg .text').allInnerTexts();
    for (const text of HOSTILE.slice(0, 5)) expect(texts).toContain(text);
    expect(await page.locator('.middle img, .middle svg, .middle script, .middle b').count()).toBe(
      0,
    );
    const links = await page
      .locator('.msg a')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(links).toEqual(['https://example.com/']);
    expect(await page.title()).toContain(HOSTILE[1]!);
  }, 60_000);

  test('works by the keyboard: one tab stop for the rooms and one for the messages, Ctrl K opens a room', async () => {
    const room = await world.room(ada, { name: 'Keys' });
    for (const text of ['one', 'two', 'three']) await publish(ada, room, text);
    const page = await visit(ada);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('keys');
    await page.getByRole('option', { name: /Keys/ }).waitFor();
    await page.keyboard.press('Enter');
    await message(page, 'three').waitFor();
    const focused = () => page.evaluate('document.activeElement.innerText');
    expect(await page.locator('.list [tabindex="0"]').count()).toBe(1);
    expect(await page.locator('.side-rooms a[tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Shift+Tab');
    expect(await focused()).toContain('three');
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toContain('two');
    for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Edit' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }, 60_000);

  const dark = { colorScheme: 'dark' as const };
  const phone = { viewport: { width: 360, height: 740 } };
  const VIEWS = { light: {}, 'dark, on a phone': { ...dark, ...phone } };
  const MORE_VIEWS = { dark, 'on a phone': phone };
  const CLEAN = 'axe finds no fault, and nothing scrolls sideways';
  const moreViews = testWith(
    {
      met: process.env['WEB_TESTS'] === 'full',
      reason: 'two views show as much: npm run test:web',
    },
    'the chat in the dark, and on a phone',
  );
  for (const [name, options] of Object.entries(VIEWS))
    test(`${name}: ${CLEAN}`, () => isClean(name, options), 60_000);
  for (const [name, options] of Object.entries(MORE_VIEWS))
    moreViews(`${name}: ${CLEAN}`, () => isClean(name, options), 60_000);

  async function isClean(name: string, options: object): Promise<void> {
    const room = await world.room(ada, { name: `Axe ${name}` }, [[ben, 'member']]);
    const { message_id: root } = (await publish(ben, room, 'a `code` and https://example.com'))
      .body;
    await publish(ben, room, '> quoted\n```\nfenced\n```', {
      reply_to: root,
      mentions: [ada.id],
    });
    const page = await visit(null, { options });
    const close = () => page.locator('.pane-side').getByRole('button', { name: 'Close' }).click();
    const states = [
      async () => undefined,
      () => pages.signIn(page, ada),
      () => enter(page, new RegExp(`Axe ${name}`)),
      async () => {
        await page.getByRole('button', { name: '1 reply' }).click();
        await page.locator('.pane-side').locator('.line').nth(1).waitFor();
      },
      async () => {
        await close();
        await page.getByRole('button', { name: /Members/ }).click();
        await page.locator('.member').nth(1).waitFor();
      },
      async () => {
        await close();
        await page.keyboard.press('Control+k');
        await page.getByRole('option').first().waitFor();
      },
    ];
    for (const next of states) {
      await next();
      expect(await accessibilityFaults(page)).toEqual([]);
      const widths = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(widths)).toBeLessThanOrEqual(0);
    }
  }
});
