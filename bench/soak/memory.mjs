/**
 * Is memory flat? The live heap is read after a full collection, which the inspector asks for: then
 * nothing of it is garbage that was not collected yet. The verdict is the straight line through the
 * samples after the warm-up.
 */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

export const DRIFT_MAX = 0.02;
export const WARM_UP_MINUTES = 5;
const SAMPLES_MIN = 10;

/**
 * Evaluated in the node. Compiled code grows for hours, ever more slowly, as V8 finds what is hot:
 * it is no data of ours.
 */
const HEAP = `(() => {
  const v8 = process.getBuiltinModule('node:v8');
  const { code_and_metadata_size, bytecode_and_metadata_size } = v8.getHeapCodeStatistics();
  const code = code_and_metadata_size + bytecode_and_metadata_size;
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return { heap_kib: (used_heap_size - code) / 1024, code_kib: code / 1024, external_kib: external_memory / 1024 };
})()`;

/**
 * @returns {Promise<{ minute: number, heap_kib: number, code_kib: number, external_kib: number,
 * pss_kib: number }>}
 */
export async function sampleMemory({ pid, inspectorPort }, minute) {
  const targets = await (await fetch(`http://127.0.0.1:${inspectorPort}/json/list`)).json();
  const socket = new WebSocket(targets[0].webSocketDebuggerUrl, { perMessageDeflate: false });
  try {
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const ask = asking(socket);
    // The first one lets finalizers run, the second collects what they held.
    await ask('HeapProfiler.collectGarbage');
    await ask('HeapProfiler.collectGarbage');
    const { result } = await ask('Runtime.evaluate', { expression: HEAP, returnByValue: true });
    return { minute, ...result.value, pss_kib: proportionalSize(pid) };
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

/**
 * Of anonymous memory only: our share of the program's own pages moves with whatever else runs node
 * at the moment.
 */
function proportionalSize(pid) {
  return Number(/^Pss_Anon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
}

/**
 * @returns {{ from: number, to: number, drift: number, per_hour_kib: number } | null} null when
 * there is too little to judge
 */
export function drift(samples, figure) {
  const points = samples.filter(({ minute }) => minute >= WARM_UP_MINUTES);
  if (points.length < SAMPLES_MIN) return null;
  const mean = (read) => points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [x, y] = [mean((point) => point.minute), mean((point) => point[figure])];
  const slope =
    mean((point) => (point.minute - x) * (point[figure] - y)) /
    mean((point) => (point.minute - x) ** 2);
  const [from, to] = [points[0], points.at(-1)].map(({ minute }) => y + slope * (minute - x));
  return { from, to, drift: to / from - 1, per_hour_kib: slope * 60 };
}
