/** Small parts that several pages of the console have. */
import { Banner } from '../kit/said/banner.js';
import { Button } from '../kit/inputs/button.js';
import { copy, Id } from '../kit/data/id.js';
import { Moment } from '../kit/data/moment.js';
import type { FactRow } from '../kit/data/facts.js';
import type { Console } from '../model/console/console.js';
import type { Fact } from '../model/console/pages/why-facts.js';
import type { Happening } from '../model/console/pages/session.js';
import type { TimelineRow } from '../kit/data/timeline.js';
import type { PagerState } from '../model/console/pager.js';
import { hashOf } from '../model/console/place.js';
import { curlOf } from '../model/console/rest.js';
import type { Ask } from '../model/console/rest.js';
import { shortId } from '../model/console/words.js';
import type { Trouble } from '../model/console/words.js';

/** A refusal in words, the way to its reason, and what can be done. */
export function TroubleLine({ trouble, again }: { trouble: Trouble | null; again?: () => void }) {
  if (trouble === null) return null;
  return (
    <div role="alert">
      <Banner tone="bad" title={trouble.title} text={trouble.text}>
        {trouble.decisionId === undefined ? null : (
          <a href={hashOf({ page: 'why', id: trouble.decisionId })}>Why?</a>
        )}
        {again === undefined || !trouble.again ? null : <Button onClick={again}>Try again</Button>}
      </Banner>
    </div>
  );
}

/** The same in a terminal. */
export function CopyAs({
  console,
  asks,
  cli,
}: {
  console: Console;
  asks: readonly Ask[];
  cli: string;
}) {
  const curl = asks.map((ask) => curlOf(console.base, ask)).join('\n');
  return (
    <span class="copy-as">
      <Button look="quiet" title={curl} onClick={() => copy(curl, 'curl command')}>
        Copy as curl
      </Button>
      {cli === '' ? null : (
        <Button look="quiet" title={cli} onClick={() => copy(cli, 'command')}>
          Copy as CLI
        </Button>
      )}
    </span>
  );
}

export function footOf(state: PagerState, count: number, noun: string): string {
  if (state === 'idle' || state === 'opening') return `Reading ${noun}s …`;
  if (state === 'loading') return `Reading more ${noun}s …`;
  if (state === 'more') return `${count} ${noun}s shown; scroll for more.`;
  return count === 1 ? `1 ${noun}.` : `All ${count} ${noun}s.`;
}

/** Words in backquotes are codes. */
export function Sentence({ text }: { text: string }) {
  return (
    <>{text.split('`').map((part, i) => (i % 2 === 0 ? part : <code key={i}>{part}</code>))}</>
  );
}

export const factRows = (facts: readonly Fact[]): FactRow[] =>
  facts.map((fact) => ({ name: fact.name, value: <Value fact={fact} /> }));

function Value({ fact: { name, value, as, to } }: { fact: Fact }) {
  if (as === 'time')
    return (
      <>
        {value.replace('T', ' ').replace(/\.\d+Z|Z/, ' UTC')} (<Moment at={value} />)
      </>
    );
  const shown = as === 'id' ? <Id id={value} of={name} /> : value;
  if (to === undefined) return <>{shown}</>;
  if (as === 'id')
    return (
      <>
        {shown} <a href={hashOf(to)}>open</a>
      </>
    );
  return <a href={hashOf(to)}>{value}</a>;
}

export const timelineRows = (rows: readonly Happening[]): TimelineRow[] =>
  rows.map(({ why, ...row }, i) => ({
    ...row,
    key: `${row.at} ${i}`,
    aside:
      why === null ? null : (
        <a href={hashOf({ page: 'why', id: why })} tabIndex={-1} title={`Why? ${shortId(why)}`}>
          why?
        </a>
      ),
  }));
