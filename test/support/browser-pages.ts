/**
 * Pages of a real Chromium through Playwright, each with everything that went wrong in it. Ends
 * with the test file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, expect } from '@jest/globals';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onPath } from '../../scripts/lib/chromium-path.mjs';
import { playwrightFlags } from './chromium-flags.js';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser: Promise<Browser> | null = null;
afterAll(async () => (await browser)?.close(), 30_000);

export interface OpenPage {
  page: Page;
  /**
   * Errors of scripts and violations of the page's policy. A refusal of the network is a browser's
   * own line, and no error of ours.
   */
  errors: string[];
}

export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  browser ??= chromium.launch({
    executablePath: onPath()!,
    args: playwrightFlags,
  });
  const context = await (
    await browser
  ).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource'))
      errors.push(line.text());
  });
  await page.goto(url);
  return { page, errors };
}

/**
 * Opens pages that end with the test that opened them. It fails when something went wrong in one of
 * them.
 */
export function pagesOfTests(): typeof openPage {
  let open: OpenPage[] = [];
  afterEach(async () => {
    const errors = open.flatMap((one) => one.errors);
    await Promise.all(open.map(({ page }) => page.context().close()));
    open = [];
    expect(errors).toEqual([]);
  });
  return async (url, options) => {
    const opened = await openPage(url, options);
    open.push(opened);
    return opened;
  };
}

/**
 * The findings of axe-core, as short lines. Run in a world of its own, which the page's policy does
 * not bind.
 */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  const run = async (expression: string): Promise<any> => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${axe}; undefined`);
  return run(
    `axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target + ': ' + failureSummary)))`,
  );
}
