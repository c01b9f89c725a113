/** The page: nodes above, ada to the left, what can be done in the middle, ben to the right. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Announcer } from '../kit/said/announcer.js';
import { Badge, type BadgeTone } from '../kit/said/badge.js';
import { Banner } from '../kit/said/banner.js';
import { Button } from '../kit/inputs/button.js';
import type { NodeState, TryNode } from '../model/nodes.js';
import { Stage } from '../model/stage.js';
import { Deeds } from './deeds.js';
import { Runs } from './runs.js';
import { TabPane } from './tab-pane.js';
import './try-page.css';

const stage = signal<Stage | null>(null);
const trouble = signal<string | null>(null);

async function start(): Promise<void> {
  trouble.value = null;
  try {
    stage.value = await Stage.open(location.origin);
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : 'The page could not start.';
  }
}

export function TryPage() {
  useEffect(() => void start(), []);
  useEffect(() => stage.value?.watch(), [stage.value]);
  const { value } = stage;
  return (
    <>
      <header class="top">
        <h1>Wardroom · try-out</h1>
        <div class="nodes">
          {value?.nodes.map((node) => (
            <NodeBadge key={node.name} node={node} />
          ))}
        </div>
      </header>
      <Announcer />
      {trouble.value === null ? null : (
        <Banner tone="bad" title="Not started." text={trouble.value}>
          <Button onClick={() => void start()}>Try again</Button>
        </Banner>
      )}
      {value === null ? (
        trouble.value === null && <p class="loading">Signing ada and ben in …</p>
      ) : (
        <Board stage={value} />
      )}
    </>
  );
}

function Board({ stage }: { stage: Stage }) {
  return (
    <main class="board">
      <p class="lead">
        Ada and ben have two tabs each{stage.nodes.length > 1 ? ', on two nodes' : ''}. Do something
        to them, and see what every socket gets. The page uses the public API only: what it does,
        your code can do.
      </p>
      <div class="middle">
        <Deeds stage={stage} />
        <Runs stage={stage} />
      </div>
      {stage.people.map((person) => (
        <div key={person.name} class={`person ${person.name}`}>
          {person.tabs.map((tab) => (
            <TabPane key={tab.name} person={person} tab={tab} />
          ))}
        </div>
      ))}
    </main>
  );
}

const NODE_TONES: Record<NodeState, BadgeTone> = {
  unknown: 'plain',
  serving: 'good',
  fenced: 'warn',
  away: 'bad',
};

function NodeBadge({ node }: { node: TryNode }) {
  const state = node.state.value;
  return (
    <Badge
      tone={NODE_TONES[state]}
      text={`node ${node.name} ${state}`}
      title={`${node.url}, ${node.id}`}
    />
  );
}
