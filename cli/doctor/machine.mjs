/** The machine: Node, open files, connections that wait to be accepted. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { line } from '../checks.mjs';

const NODE_MIN = [20, 19];
/** Stores, logs, files and listeners, beside the clients. */
const FILES_BESIDE = 500;
const BACKLOG_MIN = 4_096;
const PAGE = 'docs/operations.md#many-clients';

/** @param {{ connectionsMax: number | null }} config */
export function machineLines({ connectionsMax }) {
  return [nodeLine(process.versions.node), ...filesLines(connectionsMax), ...backlogLines()];
}

export function nodeLine(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return line('machine.node', enough ? 'ok' : 'fail', 'Node.js is new enough.', {
    measured: version,
    bound: `>= ${NODE_MIN.join('.')}`,
    page: 'docs/operations.md#what-it-needs',
  });
}

function filesLines(connectionsMax) {
  const files = openFiles();
  if (files === null) return [];
  const needed = Number.isFinite(connectionsMax) ? connectionsMax + FILES_BESIDE : FILES_BESIDE;
  return [
    line(
      'machine.open_files',
      files >= needed ? 'ok' : 'warn',
      'The limit of open files allows MAX_CONNECTIONS (here; a service may have another).',
      { measured: files, bound: `>= ${needed}`, page: PAGE },
    ),
  ];
}

/** The soft limit of this process; null where nobody says. */
function openFiles() {
  try {
    const text = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
    return text === 'unlimited' ? Infinity : Number(text);
  } catch {
    return null;
  }
}

/** Linux only. */
function backlogLines() {
  let backlog;
  try {
    backlog = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return [];
  }
  return [
    line(
      'machine.backlog',
      backlog >= BACKLOG_MIN ? 'ok' : 'warn',
      'Many clients that come back at once may wait to be accepted (net.core.somaxconn).',
      { measured: backlog, bound: `>= ${BACKLOG_MIN}`, page: PAGE },
    ),
  ];
}
