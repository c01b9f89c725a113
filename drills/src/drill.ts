/**
 * A drill is a sequence of checks in one order. The server detects, stops privileged actions,
 * notifies, lets refresh who may, lets reconnect who should, and nothing happens twice. A drill
 * declares its steps before it runs, so that a step which was not reached is named too.
 */
import type { Stage } from './stage.js';
import type { StepSpec } from './steps.js';

/** `usual`: tokens live as long as the server's. `brief`: they live 5 s. */
export type TenantKind = 'usual' | 'brief';

export interface Drill {
  /** `D1`. */
  readonly id: string;
  readonly name: string;
  readonly tenant: TenantKind;
  /** Runs while no other drill does, because it is heavy or looks at what all others heard. */
  readonly alone: boolean;
  /** By key; the order of the keys is the order of the steps. */
  readonly steps: Readonly<Record<string, StepSpec>>;
  run(stage: Stage<string>): Promise<void>;
}

interface DrillSpec<Key extends string> {
  readonly id: string;
  readonly name: string;
  readonly tenant?: TenantKind;
  readonly alone?: boolean;
  readonly steps: Readonly<Record<Key, StepSpec>>;
  run(stage: Stage<Key>): Promise<void>;
}

export function drill<Key extends string>(spec: DrillSpec<Key>): Drill {
  return { tenant: 'usual', alone: false, ...spec } as Drill;
}
