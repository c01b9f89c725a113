/**
 * Is memory flat? The live heap is read after a full collection, which the inspector asks for: then nothing of it is garbage
 * that was not collected yet. The verdict is the straight line through the samples after the warm-up.
 */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

export const DRIFT_MAX = 0.02;
export const WARM_UP_MINUTES = 5;
const SAMPLES_MIN = 10;

/** @returns {Promise<{ minute: number, heap_kib: number, external_kib: number, pss_kib: number }>} */
export async function sampleMemory({ pid, inspectorPort }, minute) {
  const targets = await (await fetch(`http://127.0.0.1:${inspectorPort}/json/list`)).json();
  const socket = new WebSocket(targets[0].webSocketDebuggerUrl, { perMessageDeflate: false });
  try {
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const ask = asking(socket);
    await ask('HeapProfiler.collectGarbage');
    const { usedSize } = await ask('Runtime.getHeapUsage');
    const { result } = await ask('Runtime.evaluate', { expression: 'process.memoryUsage().external', returnByValue: true });
    return { minute, heap_kib: usedSize / 1024, external_kib: result.value / 1024, pss_kib: proportionalSize(pid) };
  } finally {
    socket.terminate();
  }
}

function asking(socket) {
  let id = 0;
  const waiting = new Map();
  socket.on('message', (data) => {
    const { id: answered, result, error } = JSON.parse(String(data));
    waiting.get(answered)?.(result ?? Promise.reject(new Error(JSON.stringify(error))));
    waiting.delete(answered);
  });
  return (method, params = {}) =>
    new Promise((resolve) => {
      waiting.set(++id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
}

function proportionalSize(pid) {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
}

/** @returns {{ from: number, to: number, drift: number, per_hour_kib: number } | null} null when there is too little to judge */
export function drift(samples, figure) {
  const points = samples.filter(({ minute }) => minute >= WARM_UP_MINUTES);
  if (points.length < SAMPLES_MIN) return null;
  const mean = (read) => points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [x, y] = [mean((point) => point.minute), mean((point) => point[figure])];
  const slope = mean((point) => (point.minute - x) * (point[figure] - y)) / mean((point) => (point.minute - x) ** 2);
  const [from, to] = [points[0], points.at(-1)].map(({ minute }) => y + slope * (minute - x));
  return { from, to, drift: to / from - 1, per_hour_kib: slope * 60 };
}
