/** The try-out page: nodes, two people, and everything that was done to them. Knows no DOM. */
import { signal } from '@preact/signals';
import { Calls } from './calls.js';
import { findNodes, type TryNode } from './nodes.js';
import { Person } from './person.js';
import { Run } from './sequence.js';
import type { TabEvent } from './tab.js';

const RUNS_MAX = 30;
const LOOK_EVERY_MS = 1_000;

export class Stage {
  readonly runs = signal<Run[]>([]);
  readonly calls: Calls;
  readonly ada: Person;
  readonly ben: Person;
  #runs = 0;

  private constructor(readonly nodes: TryNode[]) {
    this.calls = new Calls(nodes);
    const nameOf = (user: string) =>
      [this.ada, this.ben].find(({ userId }) => userId === user)?.name ?? this.calls.nameOf(user);
    const happened = (event: TabEvent) => this.#happened(event);
    this.ada = new Person('ada', nodes, nameOf, happened);
    this.ben = new Person('ben', nodes, nameOf, happened);
  }

  static async open(origin: string): Promise<Stage> {
    const stage = new Stage(await findNodes(origin));
    await stage.calls.restoreBen();
    await Promise.all([stage.ada.signIn(), stage.ben.signIn()]);
    return stage;
  }

  get people(): readonly Person[] {
    return [this.ada, this.ben];
  }

  /** Watches the nodes while the page is seen. Answers how to stop. */
  watch(): () => void {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') for (const node of this.nodes) void node.look();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }

  begin(title: string, hint: string): Run {
    const run = new Run((this.#runs += 1), title, hint, performance.now(), new Date());
    this.runs.value = [run, ...this.runs.value].slice(0, RUNS_MAX);
    return run;
  }

  nodeName(id: string): string {
    return this.nodes.find((node) => node.id === id)?.name ?? id.slice(-4);
  }

  #happened({ tab, text, note, tone }: TabEvent): void {
    const run = this.runs.value[0];
    if (run === undefined) return;
    const who = this.people.find(({ tabs }) => tabs.includes(tab))!.name;
    run.add({
      ms: Math.round(performance.now() - run.startedMs),
      text: `${who} ${tab.name} (${tab.node.name}): ${text}`,
      ...(note === undefined ? {} : { note }),
      tone,
      effect: true,
    });
  }
}
