/** CPU of the server processes, all threads, user and kernel; and their memory, where asked for. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** @param {number[]} pids @param {boolean} [memory] @returns {{ cpuMs: number, pssKib: number }} */
export function usageOf(pids, memory = false) {
  let [cpuMs, pssKib] = [0, 0];
  for (const pid of pids) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) cpuMs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      if (memory) pssKib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
    } catch {
      // a server that was killed on purpose
    }
  }
  return { cpuMs, pssKib };
}
