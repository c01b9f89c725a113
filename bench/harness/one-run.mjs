/** One run: a fresh server, a fresh load generator, one result. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { freePort } from '../../scripts/stores/machine.mjs';
import { ADMIN, FIRST_PUBLISHER, openSessionSet, sessionId, writeTokens } from '../seed.mjs';
import { peers } from './peers.mjs';
import { startServer } from './servers.mjs';
import { family } from './usage.mjs';

const generators = { raw: './load.mjs', sdk: './sdk-load.mjs' };
const RUN_LIMIT_MS = 180_000;
const SETTLE_MS = 300;
const SPINS_NICE = 10;
const KILL_AFTER_MS = 1_000;

/** @returns {Promise<object>} what the generator measured */
export async function runOnce(name, load, profile, { world, mint }) {
  const { server, client, ours, beside, generator = 'raw' } = peers[name];
  const flags = ours && profile !== undefined ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const users = Array.from({ length: load.users || load.subscribers }, (_, i) => i);
  const publishers = Array.from({ length: load.publishers }, (_, i) => FIRST_PUBLISHER + i);
  const set = load.ends === undefined ? 0 : await openSessionSet(world);
  const tokens = writeTokens(
    mint,
    join(world.dir, 'tokens.txt'),
    [...users, ...publishers],
    () => set,
  );
  const servers = [];
  const start = (port, from = server, as = name) =>
    startServer(from({ port, world, flags }), { port, dir: world.dir, name: as });
  let child;
  let companion;
  try {
    if (beside !== undefined) companion = await start(await freePort(), beside, 'beside');
    const ports = [];
    for (let i = 0; i < load.nodes; i += 1) ports.push(await freePort());
    for (const port of ports) servers.push(await start(port));
    await sleep(SETTLE_MS);
    const spec = {
      ...load,
      ...client,
      recover: load.restart === true && client.recovers === true,
      publish: client.publish.replace('{run}', randomUUID().slice(0, 8)),
      ports,
      tokens,
      sdk: generator === 'sdk' ? await compileSdk(world) : undefined,
      stores: world.stores,
      watch: servers.flatMap(({ pid }) => family(pid)),
      ends:
        load.ends === undefined
          ? undefined
          : Array.from({ length: load.warmEnds + load.ends }, (_, user) => ({
              user,
              request: endRequest(mint, user, set),
            })),
    };
    child = spawn(
      process.execPath,
      [fileURLToPath(new URL(generators[generator], import.meta.url))],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    // At a fixed rate it spins until the next message is due; the stores on its core must not wait
    // for that.
    if (load.rate > 0) setPriority(child.pid, SPINS_NICE);
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the run took too long')), RUN_LIMIT_MS);
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the load generator ended with ${code}`));
      });
      child.on('message', (message) => {
        if (message.result !== undefined) resolve(message.result);
        else if (message.error !== undefined) reject(new Error(message.error));
        else if (message.event === 'ready') void restart().catch(reject);
      });
      child.send({ spec });
    });
    async function restart() {
      await sleep(KILL_AFTER_MS);
      await servers[0].kill();
      servers[0] = await start(ports[0]);
    }
  } finally {
    child?.kill('SIGKILL');
    for (const each of servers) await each.stop();
    await companion?.stop();
  }
}

/** The SDK as one ES module, once for each world. */
async function compileSdk({ dir }) {
  const outfile = join(dir, 'sdk.mjs');
  if (existsSync(outfile)) return outfile;
  const entry = fileURLToPath(new URL('../../sdk/src/index.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', target: 'es2022' });
  return outfile;
}

/** Ours only: an admin of the tenant ends a session. */
function endRequest(mint, user, set) {
  const body = JSON.stringify({ session: sessionId(user, set), reason: 'bench' });
  return (
    `POST /v1/admin/revocations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${mint(ADMIN)}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}
