/**
 * `npm run sizes`: bytes that a page loads with this client and with five others, each bundled and
 * minified in the same way with one import that an application would write. The others are
 * installed from the registry of npm into a folder that is removed again. Prints the table of
 * docs/sdk.md.
 */
import './lib/require-node.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, version as esbuild } from 'esbuild';
import { ensureInstalled, root } from './lib/install.mjs';

/** Of each: the import, and the parts of a chat that come with it. */
const ENTRIES = [
  [
    '@wardroom/client',
    "import { WardroomClient } from '@wardroom/client/core';",
    'connection, session, rooms',
  ],
  [
    '@wardroom/client',
    "import { WardroomClient } from '@wardroom/client';",
    'and timeline, lists, typed REST',
  ],
  ['centrifuge', "import { Centrifuge } from 'centrifuge';", 'connection, channels'],
  ['socket.io-client', "import { io } from 'socket.io-client';", 'connection'],
  [
    '@supabase/realtime-js',
    "import { RealtimeClient } from '@supabase/realtime-js';",
    'connection, channels, presence',
  ],
  [
    'ably',
    "import { BaseRealtime, FetchRequest, WebSocketTransport } from 'ably/modular';",
    'connection, channels',
  ],
  ['ably', "import { Realtime } from 'ably';", 'and REST, presence, history'],
  [
    'stream-chat',
    "import { StreamChat } from 'stream-chat';",
    'connection, channels, messages, REST',
  ],
];

ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), 'wardroom-sizes-'));
try {
  run(process.execPath, join(root, 'scripts/packages.mjs'), join(folder, 'archives'));
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const own = ['protocol', 'client'].map((name) =>
    join(folder, `archives/wardroom-${name}-${versionIn(join(root, 'sdk'))}.tgz`),
  );
  const others = ENTRIES.map(([name]) => name).filter((name) => !name.startsWith('@wardroom/'));
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', ...own, ...new Set(others));
  console.log(`esbuild ${esbuild}, minified, one ES module for a browser, gzip -9\n`);
  console.log(
    '| import | version | minified | gzip | contains |\n| --- | --- | ---: | ---: | --- |',
  );
  for (const [name, line, contains] of ENTRIES) {
    const bytes = await bundled(line);
    const cells = [
      `\`${line.replaceAll(/^import |;$/g, '')}\``,
      versionIn(join(folder, 'node_modules', name)),
      kB(bytes.length),
      kB(gzipSync(bytes, { level: 9 }).length),
      contains,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** The names are kept by a global, as an application keeps them by their use. */
async function bundled(line) {
  const names = /\{(.*)\}/.exec(line)[1];
  const { outputFiles } = await build({
    stdin: { contents: `${line}\nglobalThis.kept = [${names}];`, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
    write: false,
  });
  return outputFiles[0].contents;
}

function versionIn(place) {
  return JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')).version;
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw error ?? new Error(`${command} ${args[0]} ended with ${status}`);
}
