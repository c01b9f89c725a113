/**
 * Connections that say nothing: opened in parts, with a rest after each, then memory is read; and
 * what they cost for as long as `idleMs` when all have come.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { usageOf } from './usage.mjs';

const PARTS = 4;

export async function openAndRest(load) {
  const { subscribers, holdMs, idleMs, watch } = load.spec;
  const points = [];
  for (let part = 1; part <= PARTS; part += 1) {
    const count = Math.round((subscribers * part) / PARTS);
    await load.open(load.ready, count);
    await sleep(holdMs);
    points.push({ count, kib: usageOf(watch, true).pssKib });
  }
  const before = usageOf(watch);
  await sleep(idleMs);
  const idle = (usageOf(watch).cpuMs - before.cpuMs) / (idleMs / 100);
  const { slope, fit } = line(points);
  return {
    kib_per_connection: slope,
    memory_fit: fit,
    pss_kib: points,
    pss_kib_after: points.at(-1).kib,
    idle_cpu_percent: idle,
  };
}

/** Least squares. `fit` is the coefficient of determination: 1 when every point is on the line. */
function line(points) {
  const mean = (read) => points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [x, y] = [mean(({ count }) => count), mean(({ kib }) => kib)];
  const [xx, xy, yy] = [
    mean(({ count }) => (count - x) ** 2),
    mean(({ count, kib }) => (count - x) * (kib - y)),
    mean(({ kib }) => (kib - y) ** 2),
  ];
  return { slope: xy / xx, fit: yy === 0 ? 1 : xy ** 2 / (xx * yy) };
}
