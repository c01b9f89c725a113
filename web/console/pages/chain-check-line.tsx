/** Is the chain whole? Verified on the spot. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge, type BadgeTone } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { copy } from '../../kit/data/id.js';
import { tellCheck } from '../../model/console/announced.js';
import {
  ChainCheck,
  type CheckState,
  VERDICTS,
  VERIFY,
} from '../../model/console/pages/chain-check.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, TroubleLine } from '../parts.js';

const TONES: Readonly<Record<CheckState, BadgeTone>> = {
  ready: 'plain',
  reading: 'plain',
  whole: 'good',
  broken: 'bad',
  stopped: 'warn',
};
const ALONE = 'npm run audit -- verify';

export function ChainCheckLine({ console }: Pick<PageProps, 'console'>) {
  const check = useMemo(() => new ChainCheck(console.caller), [console]);
  useEffect(() => {
    const silent = tellCheck(console.said, check);
    return () => {
      silent();
      check.stop();
    };
  }, [console, check]);
  const state = check.state.value;
  const isReading = state === 'reading';
  const run = () => void check.run();
  return (
    <div class="chain-check" role="group" aria-label="Is the chain whole?">
      <div class="toolbar">
        <strong>Is the chain whole?</strong>
        {isReading ? (
          <Button onClick={() => check.stop()}>Stop</Button>
        ) : (
          <Button onClick={run}>{state === 'ready' ? 'Verify now' : 'Verify again'}</Button>
        )}
        {state === 'ready' ? null : (
          <span>
            {isReading ? null : <Badge tone={TONES[state]} text={VERDICTS[state]} />} {check.words}
          </span>
        )}
        <span class="grow" />
        <CopyAs
          console={console}
          asks={[{ method: 'GET', path: VERIFY }]}
          cli="npx wardroom audit verify --service"
        />
      </div>
      <TroubleLine trouble={check.trouble.value} again={run} />
      {check.findings.value.length === 0 ? null : (
        <ul class="findings">
          {check.findings.value.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <p class="note">
        This node reads every record and checks it by its key. A proof that trusts no node is made
        with the environment of one:{' '}
        <button
          type="button"
          class="id"
          onClick={() => copy(ALONE, 'command')}
          title="Click to copy"
        >
          {ALONE}
        </button>
      </p>
    </div>
  );
}
