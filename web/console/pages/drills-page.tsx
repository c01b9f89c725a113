/** Drills: choose, run here, watch each step against its bound, keep the evidence. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge, type BadgeTone } from '../../kit/said/badge.js';
import { Banner } from '../../kit/said/banner.js';
import { Button } from '../../kit/inputs/button.js';
import { copy } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { Pane } from '../../kit/pane.js';
import { tellDrills } from '../../model/console/announced.js';
import { type DrillLine, Drills, type Run } from '../../model/console/pages/drills.js';
import { bytes, plural } from '../../model/console/words.js';
import type { PageProps } from '../page-props.js';
import { TroubleLine } from '../parts.js';

const KEPT = 'wardroom-console-drills';
const evidence = {
  read: () => localStorage.getItem(KEPT),
  write: (text: string) => localStorage.setItem(KEPT, text),
};
/** Longer than all drills. */
const PROVEN_SECONDS = 120;
const TONES: Record<string, BadgeTone> = {
  passed: 'good',
  failed: 'bad',
  skipped: 'plain',
  'not reached': 'warn',
};

export function DrillsPage({ console, rights }: PageProps) {
  const drills = useMemo(
    () =>
      new Drills(
        console.caller,
        console.base,
        evidence,
        () => import('../../../drills/src/index.js'),
      ),
    [console],
  );
  useEffect(() => {
    void drills.open();
    const silent = tellDrills(console.said, drills);
    return () => {
      silent();
      drills.stop();
    };
  }, [console, drills]);
  const state = drills.state.value;
  const run = drills.run.value;
  const before = drills.before.value;
  const mayRun = rights.may('create_tenant', { tenantId: null });
  const isRunning = state === 'running';
  const start = async () => {
    // They erase what they make, which needs the password: nobody is asked in between.
    // Whether the server answers at all, the drills tell.
    if (!(await console.stepUp.ensure(PROVEN_SECONDS).catch(() => true))) return;
    await drills.start(console.leaseMs);
  };
  return (
    <section aria-label="Drills" class="stack">
      <p class="lead">
        The drills check the promises on this deployment: they make tenants of their own, do to
        their people what goes wrong in life, measure each step against its bound, and remove what
        they made. They run in this page, against the node that serves it. The command drills
        several nodes, and leaves a slow reader unread, which no browser can.
      </p>
      <TroubleLine trouble={drills.trouble.value} />
      <div class="toolbar">
        {mayRun ? (
          isRunning ? (
            <Button onClick={() => drills.stop()}>Stop, and remove what was made</Button>
          ) : (
            <Button
              look="accent"
              disabled={state === 'loading' || drills.chosen.value.size === 0}
              onClick={() => void start()}
            >
              {`Run ${plural(drills.chosen.value.size, 'drill')}`}
            </Button>
          )
        ) : (
          <span class="note">Drills make tenants: an operator runs them.</span>
        )}
        {isRunning ? (
          <span role="status">
            running: {drills.results.value.size} of {drills.chosen.value.size} are over, at most 90
            s in all
          </span>
        ) : null}
        <span class="grow" />
        {run === null ? null : <Keep run={run} />}
        <Button look="quiet" title={drills.cli} onClick={() => copy(drills.cli, 'command')}>
          Copy as CLI
        </Button>
      </div>
      {run === null ? null : (
        <Banner
          tone={run.verdict === 'passed' ? 'plain' : 'bad'}
          title={run.verdict === 'passed' ? 'Nothing was found.' : 'A promise was not kept.'}
          text={`Seed ${run.seed}, ${(run.ms / 1000).toFixed(0)} s, round trip ${run.round_trip_ms} ms; ${run.removed}.${
            drills.differences.value.length === 0
              ? before === null
                ? ''
                : ' As in the run before.'
              : ` Beside the run before: ${drills.differences.value.join('; ')}.`
          }`}
        />
      )}
      {run === null && before !== null && !isRunning ? (
        <p class="note">
          The last run of this browser: <Moment at={before.started_at} />, {before.verdict}.
        </p>
      ) : null}
      {state === 'loading' ? <p class="empty">Loading the drills …</p> : null}
      <div class="drills">
        {drills.lines.value.map((line) => (
          <Line key={line.id} line={line} drills={drills} mayRun={mayRun && !isRunning} />
        ))}
      </div>
    </section>
  );
}

function Line({ line, drills, mayRun }: { line: DrillLine; drills: Drills; mayRun: boolean }) {
  const { id, name, steps, result } = line;
  const isChosen = drills.chosen.value.has(id);
  const isRunning = drills.state.value === 'running' && isChosen && result === null;
  return (
    <Pane
      label={`${id}: ${name}`}
      title={
        <label>
          <input
            type="checkbox"
            checked={isChosen}
            disabled={!mayRun}
            onChange={() => drills.toggle(id)}
          />{' '}
          {id} · {name}
        </label>
      }
      aside={
        result === null ? (
          <small>{isRunning ? 'running …' : ''}</small>
        ) : (
          <>
            <small>{(result.ms / 1000).toFixed(1)} s</small>
            <Badge tone={TONES[result.verdict]!} text={result.verdict} />
          </>
        )
      }
    >
      <ol class="drill-steps">
        {result === null
          ? steps.map((sentence) => <li key={sentence}>{sentence}</li>)
          : result.steps.map(({ id: step, sentence, verdict, measured, bound, unit, why }) => (
              <li key={step}>
                <Badge tone={TONES[verdict]!} text={verdict} /> {sentence}{' '}
                {measured === undefined ? null : (
                  <small>
                    {unit === 'bytes'
                      ? `${bytes(measured)} of at most ${bytes(bound!)}`
                      : `${measured} ms of at most ${bound} ms`}
                  </small>
                )}
                {why === undefined ? null : <small> {why}</small>}
              </li>
            ))}
      </ol>
    </Pane>
  );
}

/** The evidence as a file: that which the command writes with `--evidence`. */
function Keep({ run }: { run: Run }) {
  const keep = () => {
    const url = URL.createObjectURL(
      new Blob([JSON.stringify(run, null, 2)], { type: 'application/json' }),
    );
    const link = document.createElement('a');
    link.href = url;
    link.download = `drills-${run.started_at.slice(0, 19).replaceAll(':', '')}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Button look="quiet" onClick={keep}>
      Keep the evidence
    </Button>
  );
}
