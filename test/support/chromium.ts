/**
 * A real browser, driven through its DevTools protocol: pages at any name and port of this machine
 * run JavaScript and answer its result. Names ending in `.test` are this machine. Ends with the
 * test file.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { WebSocket } from 'ws';
import { onPath } from '../../scripts/lib/chromium-path.mjs';
import { removeAtEnd, startChild, stopChild } from '../../scripts/lib/children.mjs';
import { chromiumFlags } from './chromium-flags.js';

const START_MS = 30_000;
const clean: (() => unknown)[] = [];

afterAll(async () => {
  for (const one of clean.splice(0).reverse()) await one();
}, 30_000);

/** Undefined: none is installed here. */
export const chromiumPath = onPath;
export const CHROMIUM = {
  met: onPath() !== undefined,
  reason: 'no Chromium is installed (Debian: apt-get install chromium)',
};

export class Chromium {
  private readonly waiting = new Map<
    number,
    { resolve: (result: any) => void; reject: (error: Error) => void }
  >();
  private asked = 0;

  private constructor(private readonly devtools: WebSocket) {
    devtools.on('message', (data) => {
      const { id, result, error } = JSON.parse(String(data));
      const asked = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(`${error.message}`));
    });
    devtools.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('the browser is gone'));
    });
  }

  static async start(path: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'wardroom-chromium-'));
    removeAtEnd(profile);
    const child = startChild(
      path,
      [
        '--headless=new',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--remote-debugging-port=0',
        ...chromiumFlags,
        `--user-data-dir=${profile}`,
        '--host-resolver-rules=MAP *.test 127.0.0.1',
        'about:blank',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    clean.push(async () => {
      await stopChild(child);
      // Its own children may hold the other end a little longer.
      child.stderr!.destroy();
    });
    const devtools = new WebSocket(await devtoolsUrl(child.stderr!), { perMessageDeflate: false });
    await new Promise((resolve, reject) => devtools.once('open', resolve).once('error', reject));
    clean.push(() => devtools.terminate());
    return new Chromium(devtools);
  }

  /** A page of its own at this address, loaded. All pages share their cookies. */
  async page(url: string): Promise<Page> {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.ask(method, params, sessionId));
    // A script of a test in an answer of ours is no part of that page.
    await this.ask('Page.setBypassCSP', { enabled: true }, sessionId);
    await page.go(url);
    return page;
  }

  private ask(method: string, params: object, sessionId?: string): Promise<any> {
    const id = (this.asked += 1);
    this.devtools.send(
      JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }),
    );
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }
}

export class Page {
  constructor(private readonly ask: (method: string, params: object) => Promise<any>) {}

  async go(url: string): Promise<void> {
    const { errorText } = await this.ask('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await this.run(
      'new Promise((done) => document.readyState === "complete" ? done() : addEventListener("load", () => done()))',
    );
  }

  /** The value of an expression of JavaScript; a promise is awaited. */
  async run<T = any>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  }
}

function devtoolsUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(
      () => reject(new Error(`the browser did not start: ${said}`)),
      START_MS,
    );
    stderr.on('data', (chunk) => {
      said += chunk;
      const url = /DevTools listening on (\S+)/.exec(said)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
