/** The packages `@wardroom/client` and `@wardroom/protocol`, as an application installs them. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ScriptedServer } from '../sdk/scripted-server.js';
import { openPage } from '../support/browser-pages.js';
import { CHROMIUM } from '../support/chromium.js';
import { testWith } from '../support/needs.js';
import { LIFE, LIVED, serveLife } from './life.js';
import { packAll, project, root, run, typeErrors, write } from './installed.js';

const inBrowser = testWith(CHROMIUM, 'the client in a page, in a Vite build and in a worker');

let server: ScriptedServer;
let files: Server;
let pages: string;
let folder: string;

beforeAll(async () => {
  process.stderr.write(packAll().replace(/^.*\.tgz\n/gm, ''));
  folder = project('client', ['@wardroom/client']);
  server = await ScriptedServer.start();
  files = createServer((request, response) => {
    const file = join(folder, new URL(request.url!, 'http://files').pathname);
    const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };
    if (!existsSync(file)) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': types[extname(file)] }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  pages = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
}, 90_000);

afterAll(async () => {
  await server?.stop();
  files?.closeAllConnections();
  await new Promise((resolve) => (files ? files.close(resolve) : resolve(null)));
});

describe('@wardroom/client', () => {
  test('comes alone: no other package is installed with it', () => {
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => name[0] !== '.')).toEqual([
      '@wardroom',
    ]);
    expect(readdirSync(join(folder, 'node_modules/@wardroom'))).toEqual(['client']);
  });

  test('runs in Node', async () => {
    const ws = pathToFileURL(join(root, 'node_modules/ws/wrapper.mjs')).href;
    write(folder, {
      'node.mjs': `import * as lib from '@wardroom/client';
import { WebSocket } from '${ws}';
${LIFE}
console.log(await life(lib, process.argv[2], { webSocket: WebSocket }));
`,
    });
    const child = spawn(process.execPath, ['node.mjs', server.url], { cwd: folder });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (said += String(chunk)));
    await serveLife(server);
    expect([await new Promise((resolve) => child.once('exit', resolve)), said.trim()]).toEqual([
      0,
      LIVED,
    ]);
  });

  test('has types of its own, strict and without any', () => {
    write(folder, { 'types.ts': TYPES });
    expect(typeErrors(folder)).toBe('');
  });

  for (const file of ['wardroom.min.js', 'wardroom.core.min.js']) {
    inBrowser(`runs in a page that loads one file, ${file}`, async () => {
      write(folder, {
        'page.html': `<script src="node_modules/@wardroom/client/dist/${file}"></script>
<script>${LIFE} window.lived = life(Wardroom, '${server.url}');</script>`,
      });
      expect(await livedIn('page.html')).toBe(LIVED);
    });
  }

  test('C16: the examples of the docs compile, strictly', () => {
    const docs = join(folder, 'docs');
    const blocks = ['docs/sdk.md', 'sdk/README.md'].flatMap((page) => examplesOf(page, 'ts'));
    expect(blocks.length).toBeGreaterThan(6);
    write(docs, {
      'ambient.d.ts': AMBIENT,
      ...Object.fromEntries(blocks.map((text, at) => [`example-${at}.ts`, text])),
    });
    expect(typeErrors(docs)).toBe('');
  });

  inBrowser('runs in a Vite build', async () => {
    write(folder, {
      'index.html': '<script type="module" src="./main.js"></script>',
      'main.js': `import * as lib from '@wardroom/client';
${LIFE}
window.lived = life(lib, '${server.url}');`,
    });
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const built = run(vite, ['build', '--base', './', '--outDir', 'built'], folder);
    expect([built.status, built.stderr]).toEqual([0, '']);
    expect(await livedIn('built/index.html')).toBe(LIVED);
  });

  test('the recipe for Vite takes the server from its variable', () => {
    const recipe = join(folder, 'recipe');
    write(recipe, {
      'index.html': '<script type="module" src="./client.ts"></script>',
      'client.ts': viteRecipe(),
      '.env': 'VITE_WARDROOM_URL=https://named.example\n',
    });
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const built = run(vite, ['build', '--outDir', 'built'], recipe);
    expect([built.status, built.stderr]).toEqual([0, '']);
    const [file] = readdirSync(join(recipe, 'built/assets'));
    expect(readFileSync(join(recipe, 'built/assets', file!), 'utf8')).toContain(
      'https://named.example',
    );
  });

  inBrowser('runs in a worker', async () => {
    write(folder, {
      'worker.js': `importScripts('node_modules/@wardroom/client/dist/wardroom.min.js');
${LIFE}
life(Wardroom, '${server.url}').then(postMessage);`,
      'worker.html': `<script>
window.lived = new Promise((resolve, reject) => {
  const worker = new Worker('worker.js');
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});
</script>`,
    });
    expect(await livedIn('worker.html')).toBe(LIVED);
  });

  test('uses nothing that a browser of two years ago lacks', () => {
    const dist = join(folder, 'node_modules/@wardroom/client/dist');
    const modules = readdirSync(dist).filter((file) => /^[^.]+\.js$/.test(file));
    const module = modules.map((file) => readFileSync(join(dist, file), 'utf8')).join('');
    expect(YOUNG.filter((name) => name.test(module))).toEqual([]);
    const searches = [...module.matchAll(/(\w+) = new URLSearchParams/g)].map(([, name]) => name);
    expect(searches.length).toBeGreaterThan(0);
    expect(searches.filter((name) => module.includes(`${name}.size`))).toEqual([]);
  });

  test('has source maps that hold their sources', () => {
    for (const file of ['index.js', 'wardroom.min.js']) {
      const path = join(folder, 'node_modules/@wardroom/client/dist', file);
      expect(readFileSync(path, 'utf8')).toContain(`//# sourceMappingURL=${file}.map`);
      const { sources, sourcesContent } = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
      expect(sourcesContent.filter((text: string) => text.length > 0)).toHaveLength(sources.length);
    }
  });
});

test("@wardroom/react adds hooks over the client, and React stays the application's own", () => {
  const hooks = project('hooks', [
    '@wardroom/client',
    '@wardroom/react',
    'react',
    '@types/react',
    'csstype',
  ]);
  write(hooks, {
    'types.ts': `import { useConnection, useTimeline } from '@wardroom/react';
export function Texts(): (string | undefined)[] {
  const { messages, timeline } = useTimeline<{ text: string }>('lobby');
  // @ts-expect-error: the bodies of this room have a text
  timeline.send({ words: 'hello' });
  return [useConnection().state, ...messages.map(({ body }) => body?.text.trim())];
}
`,
    'check.mjs': `import * as hooks from '@wardroom/react';
console.log(Object.keys(hooks).sort().join(' '));
`,
  });
  const pages = ['docs/sdk.md', 'sdk-react/README.md'].flatMap((page) => examplesOf(page, 'tsx'));
  expect(pages.length).toBe(3);
  write(hooks, {
    'ambient.d.ts': VITE,
    'client.ts': viteRecipe(),
    ...Object.fromEntries(pages.map((text, at) => [`example-${at}.tsx`, text])),
  });
  expect(typeErrors(hooks, { jsx: 'react-jsx' })).toBe('');
  expect(run('check.mjs', [], hooks).stdout.trim()).toBe(
    'WardroomContext useClient useConnection usePeople useRoom useRoomEvent useRooms useSnapshot useTimeline',
  );
});

test('@wardroom/protocol checks frames, and its types are those of the client', () => {
  const both = project('both', ['@wardroom/protocol', 'zod', '@wardroom/client']);
  write(both, {
    'check.mjs': `import { CLIENT_FRAMES } from '@wardroom/protocol';
import { ERROR_CODES } from '@wardroom/protocol/codes';
import { PROTOCOL } from '@wardroom/protocol/limits';
const { success } = CLIENT_FRAMES.ping.safeParse({ type: 'ping', id: '1' });
console.log(success, ERROR_CODES.not_found.status, PROTOCOL);
`,
    'types.ts': `import type * as protocol from '@wardroom/protocol';
import type { Right, Role, RoomEventFrame, ServerFrames } from '@wardroom/client';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? 'same' : 'not';
export const same: {
  names: Same<keyof ServerFrames, keyof protocol.ServerFrames>;
  frames: { [K in keyof ServerFrames]: Same<ServerFrames[K], protocol.ServerFrames[K]> }[keyof ServerFrames];
  events: Same<RoomEventFrame, protocol.RoomEventFrame>;
  rights: Same<Right, protocol.Right>;
  roles: Same<Role, protocol.Role>;
} = { names: 'same', frames: 'same', events: 'same', rights: 'same', roles: 'same' };
`,
  });
  const { stdout, stderr } = run('check.mjs', [], both);
  expect(stdout + stderr).toBe('true 404 wardroom.v1\n');
  expect(typeErrors(both, { skipLibCheck: true })).toBe('');
});

/** The code blocks of a page in this language. */
function examplesOf(page: string, language: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const found = text.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```', 'gm'));
  return [...found].map(([, example]) => example!);
}

const viteRecipe = () =>
  examplesOf('docs/sdk.md', 'ts').find((text) => text.startsWith('// src/client.ts'))!;

/** As `vite/client` declares it. */
const VITE = `interface ImportMeta { readonly env: { readonly VITE_WARDROOM_URL?: string } }
`;

/** Names that the examples use without declaring them. */
const AMBIENT = `${VITE}declare module 'ws' {
  export const WebSocket: import('@wardroom/client').SocketConstructor;
}
declare const client: import('@wardroom/client').WardroomClient;
declare const process: { env: Record<string, string | undefined>; exitCode: number };
`;

/** The answer of the page's script, which ran without an error. */
async function livedIn(path: string): Promise<string> {
  const { page, errors } = await openPage(`${pages}/${path}`);
  await serveLife(server);
  const lived = await page.evaluate('window.lived');
  await page.context().close();
  expect(errors).toEqual([]);
  return lived as string;
}

/** A consumer: it compiles only when the types are what they should be, and nowhere `any`. */
const TYPES = `import { WardroomClient, WardroomError, WardroomSession } from '@wardroom/client';
import { WardroomClient as Core } from '@wardroom/client/core';
import type {
  Action, ClientEvents, ClientOptions, HistoryPage, PublishAck, Right, Room, RoomEvents, ServerFrames,
} from '@wardroom/client';

type IsAny<T> = 0 extends 1 & T ? true : false;
type HasAny<T> =
  IsAny<T> extends true ? true
  : T extends string | number | boolean | null | undefined ? false
  : T extends readonly (infer Item)[] ? HasAny<Item>
  : T extends object ? { [K in keyof T]-?: HasAny<T[K]> }[keyof T]
  : false;
type Plain<T> = true extends HasAny<T> ? 'any' : 'plain';
export const plain: [
  Plain<ServerFrames>, Plain<RoomEvents>, Plain<HistoryPage>, Plain<PublishAck>,
  IsAny<Action> extends false ? 'plain' : 'any', IsAny<Right> extends false ? 'plain' : 'any',
  IsAny<ClientEvents['connected']> extends false ? 'plain' : 'any',
] = ['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain'];
// @ts-expect-error: the check itself finds any
export const found: Plain<{ deep: { value: any } }> = 'plain';

export async function main(options: ClientOptions): Promise<number> {
  const client = new WardroomClient({ ...options, session: new WardroomSession({ url: options.url }) });
  const room: Room = client.room('lobby');
  room.on('message', ({ seq, body }) => console.log(seq.toFixed(), body));
  // @ts-expect-error: there is no such event
  room.on('mesage', () => undefined);
  client.on('connected', (frame) => frame.expires_in_ms.toFixed());
  // @ts-expect-error: a number has no such method
  client.on('connected', (frame) => frame.expires_in_ms.trim());
  try {
    const { seq } = await room.publish({ text: 'hello' });
    const typed = client.room<{ text: string }>('typed');
    typed.on('message', ({ body }) => body.text.trim());
    // @ts-expect-error: the bodies of this room have a text
    await typed.publish({ words: 'hello' });
    await new Core(options).room('lobby').subscribe();
    const { items } = await client.api.rooms.list({ limit: 1 });
    return seq + (items[0]?.seq ?? 0);
  } catch (error) {
    if (error instanceof WardroomError && error.action === 'login') return 0;
    // @ts-expect-error: no action of the protocol
    if (error instanceof WardroomError && error.action === 'log-in') return 1;
    throw error;
  }
}
`;

/** Names that browsers have for less than two years, or that would not be worth a fallback. */
const YOUNG = [
  /Promise\.(?:withResolvers|try)\b/,
  /URL\.(?:parse|canParse)\b/,
  /\bIterator\.(?:from|concat)\b/,
  /\b(?:Object|Map)\.groupBy\b/,
  /\bArray\.fromAsync\b/,
  /\.(?:fromBase64|toBase64|fromHex|toHex|isWellFormed|toWellFormed)\(/,
  /\bRegExp\.escape\b/,
  /\bError\.isError\b/,
  /\b(?:await )?using \w+ =/,
];
