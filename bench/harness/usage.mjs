/** The cost of processes: CPU of all threads, user and kernel, and memory. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** @param {number[]} pids @param {boolean} [memory] @returns {{ cpuMs: number, pssKib: number }} */
export function usageOf(pids, memory = false) {
  let [cpuMs, pssKib] = [0, 0];
  for (const pid of pids) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`))
        cpuMs +=
          Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      if (memory)
        pssKib += Number(
          /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1],
        );
    } catch {
      // a server that was killed on purpose
    }
  }
  return { cpuMs, pssKib };
}

/** A process and its descendants. */
export function family(pid) {
  const all = [pid];
  for (let i = 0; i < all.length; i += 1) {
    try {
      for (const thread of readdirSync(`/proc/${all[i]}/task`)) {
        const children = readFileSync(`/proc/${all[i]}/task/${thread}/children`, 'utf8').trim();
        if (children !== '') all.push(...children.split(' ').map(Number));
      }
    } catch {
      // gone, or not Linux
    }
  }
  return all;
}

/**
 * CPU of Postgres with all its backends, and of Redis. @param {{ postgres: number, redis: number }}
 * stores
 */
export function storeUsage({ postgres, redis }) {
  return { postgresMs: usageOf(family(postgres)).cpuMs, redisMs: usageOf(family(redis)).cpuMs };
}
