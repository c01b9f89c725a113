/** Rooms of the chat in a real browser: settings, long messages, and people of direct rooms. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { accessibilityFaults } from '../support/browser-pages.js';
import { banner, ChatPages, enter, message, say } from '../support/chat-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { describeWith } from '../support/needs.js';
import { call, type SignedIn } from '../support/world.js';

const described = describeWith(CHROMIUM, 'rooms of the chat in a real browser');
const pages = new ChatPages();
let ada: SignedIn;
let ben: SignedIn;

const choose = async (page: Page, item: RegExp | string) => {
  await page.getByRole('button', { name: 'Room', exact: true }).click();
  await page.getByRole('menuitem', { name: item }).click();
};
const isInSight = (row: Locator) =>
  row.evaluate((at) => {
    const list = at.closest('.list, .pane-list')!.getBoundingClientRect();
    const { top, bottom } = at.getBoundingClientRect();
    return top >= list.top && bottom <= list.bottom + 1;
  });
const sideways = (page: Page) =>
  page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );

described('rooms of the chat', () => {
  beforeAll(async () => {
    await pages.start(2);
    [ada, ben] = (await pages.world.users('Ada', 'Ben')) as [SignedIn, SignedIn];
  }, 90_000);

  test('an owner changes what a room is, its members see it at once, and have no form', async () => {
    await pages.world.room(ada, { name: 'Old name' }, [[ben, 'member']]);
    const [hers, his] = [await pages.visit(ada), await pages.visit(ben, { on: 1 })];
    await enter(his, /Old name/);
    await his.getByRole('button', { name: 'Room', exact: true }).click();
    await his.getByRole('menuitem', { name: 'Leave the room' }).waitFor();
    expect(await his.getByRole('menuitem', { name: 'Settings of the room' }).count()).toBe(0);
    await his.keyboard.press('Escape');
    await enter(hers, /Old name/);

    await choose(hers, 'Settings of the room');
    const form = hers.getByRole('dialog');
    await form.getByLabel('Name').fill('New name');
    await form.getByLabel('Topic').fill('What we plan');
    await form.getByLabel('Description').fill('All of it,\nin two lines.');
    expect(await accessibilityFaults(hers)).toEqual([]);
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await his.getByRole('heading', { name: 'New name' }).waitFor();
    await his.locator('.head').getByText('What we plan').waitFor();
    await his.getByRole('button', { name: /Members/ }).click();
    await his.getByText('All of it,').waitFor();

    await choose(hers, 'Settings of the room');
    await form.getByLabel('Topic').fill('');
    await form.getByLabel('Who may write').selectOption('moderators');
    await form.getByRole('button', { name: 'Save' }).click();
    await banner(his, 'Only moderators write in this room.').waitFor();
    await his.locator('.head').getByText('What we plan').waitFor({ state: 'detached' });
    await choose(hers, 'Settings of the room');
    await form.getByLabel('Archived').check();
    await form.getByRole('button', { name: 'Save' }).click();
    await banner(his, 'This room is archived.').waitFor();
    await banner(hers, 'This room is archived.').waitFor();
    await choose(hers, 'Settings of the room');
    await form.getByLabel('Archived').uncheck();
    await form.getByRole('button', { name: 'Save' }).click();
    await hers.locator('.middle textarea:not([readonly])').waitFor();
  }, 60_000);

  test('a favourite and notifications of one device reach another on another node', async () => {
    await pages.world.room(ada, { name: 'Shared' });
    const [one, other] = [await pages.visit(ada), await pages.visit(ada, { on: 1 })];
    await Promise.all([enter(one, /Shared/), enter(other, /Shared/)]);
    await choose(one, 'Add to favourites');
    await other
      .getByRole('region', { name: 'Favourites' })
      .getByRole('link', { name: /Shared/ })
      .waitFor();
    await choose(other, 'Notifications: None');
    await one.getByRole('button', { name: 'Room', exact: true }).click();
    await one.getByRole('menuitem', { name: 'Notifications: None ✓' }).waitFor();
  }, 60_000);

  test('a direct message shows whether the other person is here, without opening it', async () => {
    const { body } = await call(pages.urls[0]!, '/v1/rooms', {
      token: ada.token,
      body: { visibility: 'direct', members: [ben.id] },
    });
    await pages.publish(ada, body.id, 'are you there?');
    const hers = await pages.visit(ada);
    const row = hers.getByRole('link', { name: /Ben/ });
    await row.waitFor();
    expect(await row.getByText('here now').count()).toBe(0);
    const his = await pages.visit(ben, { on: 1 });
    await row.getByText('here now').waitFor();
    await his.close();
    await row.getByText('here now').waitFor({ state: 'detached' });
  }, 60_000);

  test("one's own message is shown, wherever its writer had scrolled, also in a thread", async () => {
    const room = await pages.world.room(ada, { name: 'Scrolled' }, [[ben, 'member']]);
    const { body: root } = await pages.publish(ben, room, 'the first');
    for (let i = 0; i < 40; i += 1)
      await pages.publish(ben, room, `answer ${i}\n\nin two parts`, { reply_to: root.message_id });
    const page = await pages.visit(ada, { path: `/${room}` });
    await message(page, 'answer 39').waitFor();
    await page.locator('.list').evaluate((list) => list.scrollTo(0, 0));
    await page.getByRole('button', { name: /To the newest/ }).waitFor();
    await say(page, 'from above');
    await expect(isInSight(message(page, 'from above'))).resolves.toBe(true);
    await page.getByRole('button', { name: /To the newest/ }).waitFor({ state: 'detached' });
    await message(page, 'the first').getByRole('button', { name: '40 replies' }).click();
    const thread = page.getByRole('region', { name: 'Thread' });
    await thread.getByText('answer 39').waitFor();
    await thread.getByRole('textbox').fill('the last');
    await page.keyboard.press('Enter');
    const last = thread.locator('.line', { hasText: 'the last' });
    await last.waitFor();
    await expect(isInSight(last)).resolves.toBe(true);
  }, 60_000);

  test('a long message shows its beginning, and all of it when asked, on a phone, too', async () => {
    const texts = [
      'many words and '.repeat(2_000),
      'x'.repeat(10_000),
      Array.from({ length: 2_000 }, (_, i) => `line ${i}`).join('\n'),
      `\`\`\`\n${'code of a line\n'.repeat(500)}\`\`\``,
    ];
    const room = await pages.world.room(ada, { name: 'Long' });
    for (const text of texts) await pages.publish(ada, room, text);
    const page = await pages.visit(ada, { path: `/${room}` });
    await page.setViewportSize({ width: 360, height: 740 });
    const bare = (text: string) => text.replaceAll(/[`\s]/g, '');
    for (const [i, text] of texts.entries()) {
      const long = page.locator(`.msg[data-seq="${i + 1}"]`);
      await long.waitFor();
      const shown = () => long.locator('.text').innerText();
      expect((await long.boundingBox())!.height).toBeLessThan(1_800);
      expect(await shown()).toMatch(/ …\s*$/);
      await long.focus();
      await long.getByRole('button', { name: /^Show all of it/ }).click();
      await long.getByRole('button', { name: 'Show less' }).waitFor();
      expect(bare(await shown())).toBe(bare(text));
      expect(await sideways(page)).toBeLessThanOrEqual(0);
      await long.getByRole('button', { name: 'Show less' }).click();
      await long.getByRole('button', { name: /^Show all of it/ }).waitFor();
    }
  }, 60_000);
});
