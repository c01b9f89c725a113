import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { announce } from '../kit/said/announcer.js';
import { Button } from '../kit/inputs/button.js';
import { Pane } from '../kit/pane.js';
import { type Deed, deedsFor } from '../model/deeds.js';
import type { Stage } from '../model/stage.js';

const GROUPS: Deed['group'][] = ['Sign out', 'Rights', 'Trouble'];
/** Deeds under way. */
const busy = signal<ReadonlySet<string>>(new Set());

async function perform(deed: Deed, stage: Stage): Promise<void> {
  busy.value = new Set([...busy.value, deed.id]);
  try {
    await deed.run(stage, deed.hint);
  } finally {
    busy.value = new Set([...busy.value].filter((id) => id !== deed.id));
  }
  const last = stage.runs.value[0]?.steps.value.at(-1);
  announce(`${deed.label}: ${last?.text ?? 'done'}`);
}

export function Deeds({ stage }: { stage: Stage }) {
  const deeds = useMemo(() => deedsFor(stage), [stage]);
  return (
    <Pane title="What can be done to them" label="What can be done to them">
      {GROUPS.map((group) => (
        <div key={group} class="deeds">
          <h3>{group}</h3>
          <div class="buttons">
            {deeds
              .filter((deed) => deed.group === group)
              .map((deed) => (
                <Button
                  key={deed.id}
                  id={`do-${deed.id}`}
                  look={deed.id === 'logout' ? 'accent' : 'plain'}
                  busy={busy.value.has(deed.id)}
                  title={deed.hint}
                  onClick={() => void perform(deed, stage)}
                >
                  {deed.label}
                </Button>
              ))}
          </div>
        </div>
      ))}
    </Pane>
  );
}
