/**
 * `@wardroom/client` in newer versions of Node and in a Next application, which npm downloads: some
 * minutes and half a gigabyte, so only with PACKAGES=full (`npm run test:packages`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { ScriptedServer } from '../sdk/scripted-server.js';
import { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { eventually } from '../support/eventually.js';
import { describeWith, testWith } from '../support/needs.js';
import { npm } from '../../scripts/packages.mjs';
import { packAll, project, write } from './installed.js';
import { LIFE, LIVED, serveLife } from './life.js';

const DOWNLOAD_MS = 300_000;
const described = describeWith(
  { met: process.env['PACKAGES'] === 'full', reason: 'downloads: npm run test:packages' },
  'the client in newer versions of Node and in Next',
);
const inBrowser = testWith(CHROMIUM, 'the client in a Next application');

described('@wardroom/client', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    packAll();
    server = await ScriptedServer.start();
  }, DOWNLOAD_MS);
  afterAll(() => server.stop());

  test.each(['22', '24'])(
    'runs in Node %s with the WebSocket that is built in',
    async (version) => {
      const folder = project(`node-${version}`, ['@wardroom/client']);
      const runtime = `node-${process.platform}-${process.arch}`;
      npm(['install', '--no-audit', '--no-fund', `${runtime}@${version}`], folder);
      write(folder, {
        'life.mjs': `import * as lib from '@wardroom/client';
${LIFE}
console.log(process.version + ' ' + (await life(lib, process.argv[2])));
`,
      });
      const node = join(folder, 'node_modules', runtime, 'bin/node');
      const child = spawn(node, ['life.mjs', server.url], { cwd: folder });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => (said += String(chunk)));
      const ended = once(child, 'exit');
      await Promise.race([serveLife(server), ended]);
      expect([(await ended)[0], said]).toEqual([0, expect.any(String)]);
      expect(said).toMatch(new RegExp(`^v${version}\\.[\\d.]+ ${LIVED}\\n$`));
    },
    DOWNLOAD_MS,
  );

  inBrowser(
    'is made once in a module of a Next application, which is built, served and used',
    async () => {
      const folder = project('next', ['@wardroom/client']);
      npm(['install', '--no-audit', '--no-fund', 'next', 'react', 'react-dom'], folder);
      write(folder, {
        'lib/client.js': `'use client';
import { WardroomClient } from '@wardroom/client';
export const client = new WardroomClient({ url: '${server.url}', getToken: () => 'a-token' });
`,
        'app/layout.js': `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
        'app/page.js': `'use client';
import { useEffect, useState } from 'react';
import { client } from '../lib/client.js';
export default function Page() {
  const [text, setText] = useState('');
  useEffect(() => {
    const lobby = client.room('lobby');
    lobby.on('message', ({ seq, body }) => setText('published as ' + seq + ', heard ' + body));
    client.connect().then(() => lobby.subscribe()).then(() => lobby.publish('hello'));
    return () => client.close();
  }, []);
  return <p id="lived">{text}</p>;
}
`,
      });
      const next = createRequire(join(folder, 'package.json')).resolve('next/dist/bin/next');
      const env = { ...process.env, NODE_OPTIONS: '', NEXT_TELEMETRY_DISABLED: '1' };
      const options = { cwd: folder, env, stdio: 'ignore' as const };
      const built = startChild(process.execPath, [next, 'build'], options);
      expect((await once(built, 'exit'))[0]).toBe(0);
      const port = await freePort();
      const args = [next, 'start', '-p', String(port)];
      const served = startChild(process.execPath, args, options);
      try {
        const url = `http://127.0.0.1:${port}/`;
        await eventually('Next answers', () =>
          fetch(url).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
        const { page, errors } = await openPage(url);
        await serveLife(server);
        await page.getByText(LIVED).waitFor();
        expect(errors).toEqual([]);
      } finally {
        await stopChild(served);
      }
    },
    DOWNLOAD_MS,
  );
});
