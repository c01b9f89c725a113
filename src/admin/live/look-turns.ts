/**
 * Questions to all nodes, of which one node has few at a time (gateway/live/node-bus.ts): admins of
 * a tenant take turns, so that they never keep an operator from looking while a node is silent.
 */
import { Injectable } from '@nestjs/common';
import { FairGate } from '../../platform/fair-gate.js';

/** By tenant. Half of the questions that a node may have open. */
const ADMINS = { running: 16, perKey: 4, waiting: 32, patienceMs: 2_000 };

@Injectable()
export class LookTurns {
  private readonly gate = new FairGate(ADMINS);

  /** `tenant`: null for whoever sees all of them, and does not wait. */
  run<T>(tenant: string | null, ask: () => Promise<T>): Promise<T> {
    return tenant === null ? ask() : this.gate.run(tenant, ask);
  }
}
