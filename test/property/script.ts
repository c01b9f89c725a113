/**
 * The steps of a run, from its seed alone: the same seed writes the same script. When each step
 * lands is up to the machine.
 */
import type { Standing } from './judge.js';

export const MEMBERS = 3;
export const NODES = 3;
/** Connections of each member, each to a node of its own. */
export const DEVICES = 2;

interface Timed {
  /** After the step before it. */
  delayMs: number;
}
export type ChangeStep = Timed & { member: number; from: Standing; to: Standing; node: number };
export type WriteStep = Timed & {
  do: 'publish' | 'edit' | 'signal';
  author: number | 'owner';
  device: number;
};
export type ListenStep = Timed & { member: number; device: number };

export interface Script {
  seed: number;
  /** One who changes, one after the other; the others all at once. */
  changes: ChangeStep[];
  writers: WriteStep[][];
  listeners: ListenStep[][];
  /** A second session of one member, ended on the way. */
  ending: {
    member: number;
    node: number;
    afterMs: number;
    endOn: number;
    publishes: number;
  } | null;
}

export type Random = ((below: number) => number) & { of: <T>(list: readonly T[]) => T };

/** mulberry32 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (below: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return Object.assign(next, { of: <T>(list: readonly T[]) => list[next(list.length)]! });
}

const WAYS: Record<Standing, readonly Standing[]> = {
  in: ['removed', 'removed', 'banned', 'muted', 'viewer'],
  muted: ['in'],
  viewer: ['in', 'banned', 'removed'],
  removed: ['in'],
  banned: ['in'],
};

export function scriptOf(seed: number): Script {
  const random = randomOf(seed);
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const standing: Standing[] = many(MEMBERS, () => 'in');
  const changes = many(3 + random(4), () => {
    const member = random(MEMBERS);
    const from = standing[member]!;
    // After a ban or a demotion the role is what it was; the way back says so.
    const to = random.of(WAYS[from]);
    standing[member] = to;
    return { delayMs: random.of([0, 0, 5, 20, 60]), member, from, to, node: random(NODES) };
  });
  const write = (): WriteStep => ({
    delayMs: random.of([0, 0, 3, 10, 40]),
    do: random.of(['publish', 'publish', 'publish', 'edit', 'signal', 'signal'] as const),
    author: random(3) === 0 ? 'owner' : random(MEMBERS),
    device: random(NODES),
  });
  return {
    seed,
    changes,
    writers: many(3, () => many(4 + random(6), write)),
    listeners: many(2, () =>
      many(3 + random(4), () => ({
        delayMs: random.of([0, 5, 15, 50]),
        member: random(MEMBERS),
        device: random(DEVICES),
      })),
    ),
    ending:
      random(4) === 0
        ? {
            member: random(MEMBERS),
            node: random(NODES),
            afterMs: random(60),
            endOn: random(NODES),
            publishes: 3 + random(5),
          }
        : null,
  };
}
