/** Events, newest first: time, words, and a sign for what is bad. One tab stop. */
import type { ComponentChildren } from 'preact';
import type { Tone } from '../../model/sequence.js';
import { moveFocus } from '../roving.js';
import { Moment } from './moment.js';
import './timeline.css';

export interface TimelineRow {
  key: string;
  at: string;
  text: string;
  note: string;
  tone: Tone;
  aside?: ComponentChildren;
}

const SIGNS: Record<Tone, string> = { plain: '·', good: '✓', warn: '▲', bad: '■' };

interface Props {
  label: string;
  rows: readonly TimelineRow[];
  empty: string;
}

export function Timeline({ label, rows, empty }: Props) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <ol
      class="timeline"
      aria-label={label}
      tabIndex={0}
      onKeyDown={(event) => moveFocus(event, 'a, button')}
    >
      {rows.map(({ key, at, text, note, tone, aside }) => (
        <li key={key} class={tone}>
          <Moment at={at} />
          <span class="sign" aria-hidden="true">
            {SIGNS[tone]}
          </span>
          <span class="what">
            {text}
            {note === '' ? null : <small>{note}</small>}
          </span>
          <span class="aside">{aside}</span>
        </li>
      ))}
    </ol>
  );
}
