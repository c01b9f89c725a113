/** Checks that several drills share. Each throws what it saw instead. */
import type { Ended, Wire } from './wire/wire.js';
import { must } from './must.js';

/**
 * A delivery that must not come would come at once: so long a connection is listened to. It is more
 * than a room event needs between two nodes whose announcement was lost.
 */
const LISTEN_MS = 300;

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** The answer of a promise, or undefined when it takes longer. */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** None of these connections gets another message from now on. */
export async function mustHearNothing(wires: readonly Wire[], since: readonly number[]) {
  await pause(LISTEN_MS);
  wires.forEach((wire, i) => {
    const [heard] = wire.of('message', since[i]);
    must(heard === undefined, `a message was delivered (seq ${heard?.seq})`);
  });
}

export const counted = (wires: readonly Wire[]): number[] =>
  wires.map(({ frames }) => frames.length);

/** The server said goodbye with this code and action, and closed with the same words. */
export async function mustBeTold(
  wire: Wire,
  code: string,
  action: string,
  status: number,
): Promise<Ended> {
  const ended = await wire.end();
  const [goodbye] = wire.of('goodbye');
  must(
    goodbye?.code === code && goodbye.action === action,
    `goodbye said ${goodbye === undefined ? 'nothing' : `${goodbye.code} ${goodbye.action}`}`,
  );
  const { reason } = ended;
  must(
    ended.status === status && reason.code === code && reason.action === action,
    `closed with ${ended.status} ${JSON.stringify(reason)}`,
  );
  return ended;
}

/** Each exactly once, and none missing: `from` is the first, `to` the last. */
export function mustBeGapless(seqs: readonly number[], from: number, to: number): void {
  const wrong = seqs.findIndex((seq, i) => seq !== from + i);
  must(wrong === -1, `seq ${seqs[wrong]} came where ${from + wrong} belongs`);
  must(seqs.length === to - from + 1, `${seqs.length} events came of ${to - from + 1}`);
}

/** `ops` are in the history exactly so often. */
export function mustBeStored(
  history: readonly { op_id: string }[],
  ops: readonly string[],
  times: 0 | 1,
): void {
  for (const op of ops) {
    const found = history.filter(({ op_id: stored }) => stored === op).length;
    must(found === times, `what was published once is in the history ${found} times`);
  }
}
