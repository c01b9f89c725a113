/**
 * Child processes that never outlive their launcher. Each child is noted in a ledger folder while
 * it lives; a reaper process, which notices the death of the launcher (also by kill -9) as the end
 * of its stdin, ends whatever is still noted. Children run in process groups of their own: Ctrl-C
 * reaches the launcher only, which stops them in reverse order.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, processIsAlive } from '../stores/machine.mjs';

/**
 * @type {Map<import('node:child_process').ChildProcess, { stopSignal: NodeJS.Signals, graceMs:
 * number, gone: Promise<void> }>}
 */
const running = new Map();
let ledger = existsSync(process.env.WARDROOM_LEDGER ?? '')
  ? process.env.WARDROOM_LEDGER
  : undefined;
let reaper;

/**
 * The ledger folder of this process. A process that finds WARDROOM_LEDGER set shares the ledger of
 * its parent.
 */
export function openLedger() {
  if (ledger !== undefined) return ledger;
  ledger = mkdtempSync(join(tmpdir(), 'wardroom-ledger-'));
  reaper = spawn(
    process.execPath,
    [fileURLToPath(new URL('./reaper.mjs', import.meta.url)), ledger],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      windowsHide: true,
      env: { PATH: process.env.PATH ?? '' },
    },
  );
  reaper.unref();
  /** @type {import('node:net').Socket} */ (reaper.stdin).unref?.();
  reaper.stdin.on('error', () => {});
  return ledger;
}

/**
 * Starts a child. `stdio` defaults to a pipe for output; its stdin is closed. `stopSignal` asks it
 * to end; after `graceMs` it is killed.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { stopSignal?: NodeJS.Signals, graceMs?:
 * number }} [options]
 */
export function startChild(
  command,
  args,
  { stopSignal = 'SIGTERM', graceMs = 10_000, ...options } = {},
) {
  const folder = openLedger();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
    ...options,
  });
  const note = child.pid === undefined ? undefined : join(folder, String(child.pid));
  if (note !== undefined && existsSync(folder)) writeFileSync(note, stopSignal);
  const gone = new Promise((resolve) => {
    const forget = () => {
      if (note !== undefined) rmSync(note, { force: true });
      running.delete(child);
      resolve();
    };
    child.once('exit', forget);
    child.once('error', forget);
  });
  running.set(child, { stopSignal, graceMs, gone });
  return child;
}

/** Ends a child and waits until it is gone. */
export async function stopChild(child) {
  const entry = running.get(child);
  if (entry === undefined) return;
  killTree(child.pid, entry.stopSignal);
  const timer = setTimeout(() => killTree(child.pid, 'SIGKILL'), entry.graceMs);
  await entry.gone;
  clearTimeout(timer);
}

/** Removes a folder when the launcher ends, however it ends. */
export function removeAtEnd(folder) {
  mkdirSync(openLedger(), { recursive: true });
  writeFileSync(join(ledger, `rm-${basename(folder)}`), folder);
}

/** Ends all children, the last started first, and the reaper. */
export async function stopChildren() {
  for (const child of [...running.keys()].reverse()) await stopChild(child);
  if (reaper === undefined) return;
  const gone = new Promise((resolve) => reaper.once('exit', resolve));
  reaper.ref();
  reaper.stdin.end();
  await gone;
  reaper = undefined;
  ledger = undefined;
}

/** The launcher's own end: SIGINT, SIGTERM and SIGHUP stop everything once, in order, then exit. */
export function stopOnSignals(announce = () => {}, exitCode = 0) {
  let stopping;
  const stop = async () => {
    if (stopping !== undefined) return;
    stopping = true;
    announce();
    await stopChildren();
    process.exit(exitCode);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop());
  watchNpm(stop);
  return () => stopping === true;
}

/**
 * A signal to npm ends npm and the shell between, but does not reach us: then the parent has
 * changed, or npm is gone.
 */
function watchNpm(stop) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const parent = process.ppid;
  const npm = parentOf(parent, basename(process.argv[1] ?? ''));
  setInterval(() => {
    if (process.ppid !== parent || (npm !== undefined && !processIsAlive(npm))) void stop();
  }, 500).unref();
}

/** The parent of a shell that runs `script`; undefined if it is no such shell, or nobody says. */
function parentOf(pid, script) {
  try {
    if (!commandLine(pid).includes(script) || commandLine(pid).includes('npm')) return undefined;
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]) || undefined;
  } catch {
    return undefined;
  }
}

function killTree(pid, signal) {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { windowsHide: true });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
