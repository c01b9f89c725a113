/**
 * Waits for the end of its launcher (end of stdin), then ends every process and removes every
 * folder in the ledger (argv).
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ledger = process.argv[2];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.resume();
process.stdin.once('error', () => void reap());
process.stdin.once('end', () => void reap());

async function reap() {
  const pids = noted().filter((name) => /^\d+$/.test(name));
  for (const pid of pids) kill(Number(pid), readFileSync(join(ledger, pid), 'utf8') || 'SIGTERM');
  const deadline = Date.now() + 5000;
  while (pids.some((pid) => alive(Number(pid))) && Date.now() < deadline) await sleep(50);
  for (const pid of pids) if (alive(Number(pid))) kill(Number(pid), 'SIGKILL');
  for (const name of noted()) {
    if (name.startsWith('rm-'))
      rmSync(readFileSync(join(ledger, name), 'utf8'), {
        recursive: true,
        force: true,
        maxRetries: 5,
      });
  }
  rmSync(ledger, { recursive: true, force: true });
  process.exit(0);
}

function noted() {
  try {
    return readdirSync(ledger);
  } catch {
    return [];
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
