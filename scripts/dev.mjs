/**
 * `npm run dev`: stores, the compiler watching, and two nodes on 3000 and 3100 that restart when it
 * has emitted. The data is that of `npm start`.
 */
import './lib/require-node.mjs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, ensureInstalled, newest, root } from './lib/install.mjs';

ensureInstalled();
if (!ensureBuilt()) console.error('The build has errors; waiting for a change.');

const { bundle, entry } = await import('./bundle.mjs');
const { startChild, stopChild, stopChildren, stopOnSignals } = await import('./lib/children.mjs');
const { startStores } = await import('./lib/stores.mjs');
const {
  dataFolder,
  demandPort,
  keepStores,
  keptSecret,
  nodeEnvironment,
  operator,
  password,
  startServer,
  untilReady,
} = await import('./lib/try-out.mjs');
const { people, seed } = await import('./seed.mjs');

const nodes = [
  { name: 'node-a', port: 3000, internalPort: 3001 },
  { name: 'node-b', port: 3100, internalPort: 3101 },
];
const tryNodes = JSON.stringify(
  nodes.map(({ name, port, internalPort }) => ({
    name: name.replace('node-', ''),
    url: `http://localhost:${port}`,
    internal_url: `http://localhost:${internalPort}`,
  })),
);
const stopping = stopOnSignals(() => console.log('\nStopping ...'));

try {
  for (const { port, internalPort } of nodes)
    for (const each of [port, internalPort]) await demandPort(each, '127.0.0.1');
  const stores = await startStores({ dir: dataFolder, log: console.log });
  keepStores(stores);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  for (const project of ['protocol', 'tsconfig.build.json'])
    startChild(
      process.execPath,
      [tsc, '--watch', '--preserveWatchOutput', '--project', join(root, project)],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
  let servers = [];
  let seeded = false;
  for (let emitted = 0; !stopping();) {
    const latest = newestModule();
    if (latest === emitted) {
      await sleep(300);
      continue;
    }
    // a compiler run writes file by file: wait until it has been quiet
    emitted = latest;
    await sleep(300);
    if (newestModule() !== emitted) continue;
    await Promise.all(servers.map(({ child }) => stopChild(child)));
    try {
      await bundle();
      servers = nodes.map(({ name, port, internalPort }) =>
        startServer(
          nodeEnvironment(stores, {
            PORT: String(port),
            INTERNAL_PORT: String(internalPort),
            HOST: '127.0.0.1',
            TRY_NODES: tryNodes,
          }),
          name,
        ),
      );
      await Promise.all(
        servers.map((server, i) => untilReady(`http://127.0.0.1:${nodes[i].internalPort}`, server)),
      );
      const passwordOf = (email) => keptSecret(`${email}.password`, password);
      if (!seeded) await seed('http://localhost:3000', operator, passwordOf);
      if (!seeded)
        for (const { email } of people) console.log(`demo  ${email}  ${passwordOf(email)}`);
      seeded = true;
      console.log(
        `\nReady. Open http://localhost:${nodes[0].port}; the other node is http://localhost:${nodes[1].port}. Logs: .wardroom/node-*.log`,
      );
    } catch (error) {
      if (!stopping()) console.error(error.message);
    }
  }
} catch (error) {
  if (!stopping()) {
    console.error(error.message);
    await stopChildren();
    process.exit(1);
  }
}

/** The entry of the bundle is ours and no news; what it was compiled from is. */
function newestModule() {
  return Math.max(
    statSync(join(root, 'src/main.ts')).mtimeMs,
    newest(
      [join(root, 'dist'), join(root, 'protocol/dist')],
      (path) =>
        path.endsWith('.js') && path !== entry && !path.startsWith(join(root, 'dist/public')),
    ),
  );
}
