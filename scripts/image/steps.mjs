/** Shared by the scripts that run images: steps with their times, commands, tools of a machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why this machine cannot build images, or undefined. @param {string[]} tools */
export function unable(tools) {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root, for chroot and mounts';
  const missing = tools.filter((name) => spawnSync(name, ['--version']).error !== undefined);
  if (missing.length > 0)
    return `${missing.join(', ')} not on PATH (apt-get install ${missing.join(' ')})`;
  const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  });
  if (mounts.status !== 0) return `this sandbox allows no mounts (${mounts.stderr.trim()})`;
  return undefined;
}

/** @template T @param {string} name @param {() => T | Promise<T>} work @returns {Promise<T>} */
export async function step(name, work) {
  const beganMs = performance.now();
  console.log(`=== ${name}`);
  const result = await work();
  console.log(`    ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  return result;
}

/** Shows what the command says. @param {string} command @param {...string} args */
export function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0)
    throw new Error(
      `${command} ${args.find((arg) => !arg.startsWith('-'))} failed: ${error?.message ?? status}`,
    );
}

/** Shows errors only. @param {string} command @param {...string} args */
export function quietly(command, ...args) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Answers the output of the command. @param {string} command @param {...string} args */
export const text = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).trim();

export function expect(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

/**
 * @param {string} what @param {() => Promise<boolean>} holds @param {() => string} said what to
 * print when it never holds
 */
export async function until(what, holds, said) {
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await sleep(100))
    if (await holds().catch(() => false)) return;
  throw new Error(`not ${what} within 60 s\n${said()}`);
}
