/** The chat on nodes of a test file's own, and what its people do in it. */
import type { Page } from 'playwright-core';
import { freePort } from '../../scripts/stores/machine.mjs';
import { pagesOfTests } from './browser-pages.js';
import type { openPage } from './browser-pages.js';
import { startCluster, startNode } from './node-process.js';
import { call, type SignedIn, World } from './world.js';

interface Visit {
  /** Which of the nodes. */
  on?: number;
  path?: string;
  options?: Parameters<typeof openPage>[1];
}

export class ChatPages {
  urls: string[] = [];
  world!: World;
  databaseUrl = '';
  private readonly open = pagesOfTests();

  async start(
    nodes: number,
    { tenant = {}, env: more = {} }: { tenant?: object; env?: Record<string, string> } = {},
  ): Promise<void> {
    const ports = await Promise.all(Array.from({ length: nodes }, () => freePort()));
    this.urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const { env } = await startCluster(0, {
      PUBLIC_URL: this.urls[0]!,
      ALLOWED_ORIGINS: this.urls.join(),
      TRY_PAGE: 'off',
      ...more,
    });
    this.databaseUrl = env['DATABASE_URL']!;
    await Promise.all(ports.map((port) => startNode({ ...env, PORT: String(port) })));
    this.world = await World.create({ base: this.urls[0]!, tenant: { ...tenant } });
  }

  /** An empty page, or one of the chat. */
  async visit(who: SignedIn | null, { on = 0, path = '', options }: Visit = {}): Promise<Page> {
    const { page } = await this.open(`${this.urls[on]}/chat${path}`, options);
    if (who !== null) await this.signIn(page, who);
    return page;
  }

  async blank(): Promise<Page> {
    return (await this.open('about:blank')).page;
  }

  async signIn(page: Page, { email, password }: SignedIn): Promise<void> {
    await page.getByRole('textbox', { name: 'Workspace' }).fill(this.world.tenant.slug);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
  }

  publish(who: SignedIn, room: string, text: string, more: object = {}) {
    return call(this.urls[0]!, `/v1/rooms/${room}/messages`, {
      token: who.token,
      body: { body: { text }, ...more },
    });
  }
}

export const message = (page: Page, text: string) =>
  page.locator('.middle .msg', { hasText: text });
export const writing = (page: Page) => page.locator('.middle textarea');
export const banner = (page: Page, text: string) =>
  page.locator('.middle .banner', { hasText: text });

/** Writes, and waits until it is stored. */
export async function say(page: Page, text: string): Promise<void> {
  await writing(page).fill(text);
  await page.keyboard.press('Enter');
  await page.locator('.middle .msg.stored', { hasText: text }).waitFor();
}

export async function enter(page: Page, room: RegExp): Promise<void> {
  await page.getByRole('link', { name: room }).click();
  await page.locator('.middle textarea:not([readonly])').waitFor();
}
