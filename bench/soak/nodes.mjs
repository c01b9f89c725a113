/**
 * The two nodes of a soak on stores of their own: default limits, short token lives, and an
 * inspector to ask for the heap.
 */
import { hash } from '@node-rs/argon2';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { nodeCommand, nodeEnvironment, openWorld, roomId, userId } from '../seed.mjs';

export const PASSWORD = 'soak it as long as it takes';
export const PEOPLE = 120;
/** Rooms of the world that nobody else uses; each person is a member of three of them. */
export const ROOMS = Array.from({ length: 12 }, (_, i) => roomId(988 + i));
export const roomsOf = (person) => [0, 4, 7].map((k) => ROOMS[(person + k) % ROOMS.length]);

export async function openSoakWorld(log) {
  const world = await openWorld({ log, aged: true });
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    // Cheap to verify: a soak asks whether sessions end, not what argon2 costs.
    const password = await hash(PASSWORD, { memoryCost: 1024, timeCost: 1, parallelism: 1 });
    await client.query('UPDATE users SET password_hash = $1 WHERE id = ANY($2)', [
      password,
      people(),
    ]);
    await client.query('DELETE FROM members WHERE room_id = ANY($1)', [ROOMS]);
    const pairs = people().flatMap((user, i) => roomsOf(i).map((room) => ({ user, room })));
    await client.query(
      `INSERT INTO members (room_id, user_id, role) SELECT r, u, 'member' FROM unnest($1::uuid[], $2::uuid[]) AS x(r, u)`,
      [pairs.map(({ room }) => room), pairs.map(({ user }) => user)],
    );
  } finally {
    await client.end();
  }
  return world;
}

const people = () => Array.from({ length: PEOPLE }, (_, i) => userId(i));

/** @returns a node that serves */
export async function startNode(world, index) {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const { cmd, args } = nodeCommand();
  const logFile = join(world.dir, `soak-node-${index}.log`);
  const log = openSync(logFile, 'w');
  const child = startChild(cmd, [`--inspect=127.0.0.1:${inspectorPort}`, ...args], {
    cwd: world.dir,
    env: {
      PATH: process.env.PATH ?? '',
      ...nodeEnvironment(world, port),
      ACCESS_TTL_SECONDS: '60',
      AUTH_WARNING_SECONDS: '20',
      PUBLISH_RATE: '20',
      SUBSCRIBE_RATE: '0',
      CALL_RATE: '0',
      LOGINS_PER_MINUTE: '0',
      FRAME_RATE: '100',
    },
    stdio: ['ignore', log, log],
    graceMs: 20_000,
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  const node = {
    name: `node ${index}`,
    url,
    wsUrl: `ws://127.0.0.1:${port}/v1/ws`,
    pid: child.pid,
    inspectorPort,
    child,
    logFile,
  };
  for (let waited = 0; ; waited += 50) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return node;
    if (child.exitCode !== null || waited > 60_000)
      throw new Error(
        `${node.name} did not get ready:\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
      );
    await sleep(50);
  }
}

/**
 * Lines of the node's log by level, and the first few at error level; a line that is no JSON is one
 * of the runtime.
 */
export function readLog({ logFile }) {
  const levels = {};
  const errors = [];
  if (!existsSync(logFile)) return { levels, errors };
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    if (
      line === '' ||
      /^(Debugger (listening|attached|ending)|For help, see|Starting inspector)/.test(line)
    )
      continue;
    const level = line.startsWith('{') ? JSON.parse(line).level : 'unstructured';
    levels[level] = (levels[level] ?? 0) + 1;
    if (level !== 'info' && level !== 'warn' && level !== 'debug' && errors.length < 20)
      errors.push(line.slice(0, 600));
  }
  return { levels, errors };
}

/** CPU seconds of a process so far, user and kernel. */
export function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
