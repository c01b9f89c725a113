/**
 * SIGTERM and SIGINT, from the first moment of the process on: main.ts imports this before
 * everything else. The kernel drops a signal for which PID 1 of a container has no handler. Until
 * the node serves, a stop holds nothing up, so the process leaves at once.
 */
type Stop = (signal: NodeJS.Signals) => void;

let stop: Stop = () => process.exit(0);
let stopping = false;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    stop(signal);
  });
}

/** From now on a stop is this, once. */
export function stopWith(serving: Stop): void {
  stop = serving;
}
