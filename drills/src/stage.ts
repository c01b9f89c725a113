/**
 * The ground that a drill runs on: its people, its connections, and the record of its steps. A step
 * that fails ends the drill, because what follows would be built on it.
 */
import { WardroomClient } from '@wardroom/client';
import type { ClientOptions } from '@wardroom/client';
import { limitOf } from './bounds.js';
import type { Conditions, Measured } from './bounds.js';
import type { Heard } from './wire/heard.js';
import { Skip } from './must.js';
import { pageOf } from './report/report.js';
import type { StepResult, Verdict } from './report/report.js';
import type { StepSpec } from './steps.js';
import type { Transport } from './wire/transport.js';
import type { Wire } from './wire/wire.js';
import type { World } from './world.js';

/** A step of the drill failed and is recorded. */
class StepFailed extends Error {}

/** The part of a drill that a stage needs. */
interface StagedDrill {
  readonly id: string;
  readonly steps: Readonly<Record<string, StepSpec>>;
  run(stage: Stage<string>): Promise<void>;
}

export interface StageParts {
  readonly transport: Transport;
  readonly world: World;
  readonly heard: Heard;
  readonly conditions: Conditions;
  /** 0 <= random() < 1, from the seed of the run. */
  readonly random: () => number;
}

export class Stage<Key extends string> {
  readonly transport: Transport;
  readonly world: World;
  readonly heard: Heard;
  readonly conditions: Conditions;
  readonly random: () => number;
  readonly #results = new Map<string, StepResult>();
  readonly #wires = new Set<Wire>();
  readonly #clients = new Set<WardroomClient>();

  constructor(
    private readonly drill: StagedDrill,
    parts: StageParts,
  ) {
    ({
      transport: this.transport,
      world: this.world,
      heard: this.heard,
      conditions: this.conditions,
      random: this.random,
    } = parts);
  }

  /** One check. It throws what it saw instead, or answers what it measured. */
  async step(key: Key, check: () => Promise<Measured | void> | Measured | void): Promise<void> {
    try {
      const measured = await check();
      const result = this.#judge(key, measured ?? undefined);
      this.#results.set(key, result);
      if (result.verdict === 'failed') throw new StepFailed();
    } catch (error) {
      if (error instanceof StepFailed) throw error;
      const verdict: Verdict = error instanceof Skip ? 'skipped' : 'failed';
      this.#results.set(key, { ...this.#blank(key), verdict, ...this.#because(error) });
      throw new StepFailed();
    }
  }

  /** Answers when all is done, or the first step failed. */
  async run(): Promise<void> {
    try {
      await this.drill.run(this as unknown as Stage<string>);
    } catch (error) {
      if (!(error instanceof StepFailed)) this.#fail(error, 'before this step: ');
    } finally {
      this.close();
    }
  }

  /** Called from outside when the run is over before the drill. */
  giveUp(why: string): void {
    this.#fail(new Error(why));
    this.close();
  }

  results(): StepResult[] {
    return Object.keys(this.drill.steps).map(
      (key) => this.#results.get(key) ?? { ...this.#blank(key), verdict: 'not reached' },
    );
  }

  /** A raw connection, authenticated when a token is given. */
  async wire(token?: string, node = 0): Promise<Wire> {
    const wire = this.keep(await this.transport.open(node));
    if (token === undefined) return wire;
    const answer = await wire.authenticate(token);
    if ('status' in answer) throw new Error(`a good token was refused: ${wire.lastWords()}`);
    return wire;
  }

  keep(wire: Wire): Wire {
    this.#wires.add(wire);
    return wire;
  }

  /** A client of the SDK; it waits less between attempts than usual. */
  client(options: Partial<ClientOptions>, node = 0): WardroomClient {
    const { nodes, fetch, socket } = this.transport;
    const client = new WardroomClient({
      url: nodes[node % nodes.length]!,
      fetch,
      webSocket: socket,
      backoffBaseMs: 500,
      backoffMaxMs: 2_000,
      random: this.random,
      ...options,
    });
    this.#clients.add(client);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.close();
    for (const wire of this.#wires) wire.close();
  }

  /** The first step that has no result yet takes what went wrong. */
  #fail(error: unknown, when = ''): void {
    const key = Object.keys(this.drill.steps).find((name) => !this.#results.has(name));
    if (key === undefined) return;
    const verdict: Verdict = error instanceof Skip ? 'skipped' : 'failed';
    const because = this.#because(error);
    const why = `${when}${because.why}`;
    this.#results.set(key, { ...this.#blank(key), verdict, ...because, why });
  }

  #judge(key: string, measured: Measured | undefined): StepResult {
    const { bound } = this.drill.steps[key]!;
    const blank = this.#blank(key);
    if (measured === undefined || bound === undefined) return { ...blank, verdict: 'passed' };
    const limit = limitOf(bound, this.conditions);
    const value = Math.round(measured.value);
    const passed = value <= limit;
    return {
      ...blank,
      verdict: passed ? 'passed' : 'failed',
      measured: value,
      bound: limit,
      unit: measured.unit,
      ...(passed ? {} : { why: 'later than the bound', page: pageOf(this.drill.id) }),
    };
  }

  #blank(key: string): Omit<StepResult, 'verdict'> {
    const { phase, sentence } = this.drill.steps[key]!;
    return { id: `${this.drill.id}.${key}`, phase, sentence };
  }

  #because(error: unknown): { why: string; page?: string } {
    const why = error instanceof Error ? error.message : String(error);
    return error instanceof Skip ? { why } : { why, page: pageOf(this.drill.id) };
  }
}
