/** Where and on what a measurement ran, as far as it matters to whoever reads the figures. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { project } from '../seed.mjs';
import { LOAD_CORE, SERVER_CORE, pinned } from './servers.mjs';

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: systemName(),
    kernel: release(),
    node: process.version,
    cores_used: pinned ? { server: SERVER_CORE, load_and_stores: LOAD_CORE } : null,
  };
}

/** Of the code that was measured; `+` when the working copy differed in anything a server runs. */
export function describeCommit() {
  const git = (...args) =>
    execFileSync('git', args, {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'prisma', 'package.json') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

export const loadAverage = () => Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);

function systemName() {
  try {
    return /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))[1];
  } catch {
    return process.platform;
  }
}

/**
 * Writes a report: the command, where and when it ran, and what it found; into a file, else to the
 * output.
 * @param {string | undefined} out
 * @param {string} command
 * @param {object} found
 */
export function writeReport(out, command, found) {
  const report = {
    command,
    at: new Date().toISOString(),
    machine: describeMachine(),
    load_average: loadAverage(),
    commit: describeCommit(),
    ...found,
  };
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
}
