import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { announce } from '../kit/said/announcer.js';
import { Button } from '../kit/inputs/button.js';
import { Dialog } from '../kit/dialog.js';
import { clockText } from '../kit/log.js';
import { Pane } from '../kit/pane.js';
import { Steps } from '../kit/said/receipt.js';
import type { Run } from '../model/sequence.js';
import type { Stage } from '../model/stage.js';

const shown = signal<Run | null>(null);

export function Runs({ stage }: { stage: Stage }) {
  const runs = stage.runs.value;
  return (
    <Pane title="What happened" label="What happened" aside={<small>newest first</small>}>
      <div class="runs">
        {runs.length === 0 ? (
          <p class="empty">Nothing yet. Try “Log out ada, tab 1” and watch her other tab.</p>
        ) : (
          runs.map((run) => <RunView key={run.id} run={run} />)
        )}
      </div>
      {shown.value === null ? null : <Curl run={shown.value} />}
    </Pane>
  );
}

function RunView({ run }: { run: Run }) {
  return (
    <article class="run" data-state={run.state.value}>
      <header>
        <h3>{run.title}</h3>
        <time dateTime={run.at.toISOString()}>{clockText(run.at)}</time>
        {run.curl.value.length === 0 ? null : (
          <Button look="quiet" label={`${run.title} as curl`} onClick={() => (shown.value = run)}>
            as curl
          </Button>
        )}
      </header>
      <p class="hint">{run.hint}</p>
      <Steps steps={run.steps.value} />
      {run.waitsFor.value === null ? null : <Waiting run={run} />}
    </article>
  );
}

/** How long the call has been without an answer. */
function Waiting({ run }: { run: Run }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(
      () => setSeconds(Math.floor((performance.now() - run.startedMs) / 1000)),
      250,
    );
    return () => clearInterval(timer);
  }, [run]);
  return (
    <p class="waiting">
      {run.waitsFor.value} … {seconds > 0 ? `${seconds} s` : ''}
    </p>
  );
}

function Curl({ run }: { run: Run }) {
  const text = [
    '# A token: the passwords of ada, ben, admin and the operator are in .wardroom/*.password',
    `ADA=$(curl -s ${location.origin}/v1/auth/login -H 'content-type: application/json' \\`,
    `  -d '{"tenant":"demo","email":"ada@demo.test","password":"'"$(cat .wardroom/ada@demo.test.password)"'"}' \\`,
    `  | node -pe 'JSON.parse(require("fs").readFileSync(0)).access_token')`,
    '',
    ...run.curl.value,
  ].join('\n');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => announce('copied'),
      () => announce('could not be copied: select the text'),
    );
  return (
    <Dialog title={run.title} onClose={() => (shown.value = null)}>
      <pre tabIndex={0}>{text}</pre>
      <Button onClick={() => void copy()}>Copy</Button>{' '}
    </Dialog>
  );
}
