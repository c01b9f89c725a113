/** A state in a word and a sign; the colour only repeats what they say. */
import './badge.css';

export type BadgeTone = 'good' | 'warn' | 'bad' | 'plain';
const SIGNS: Record<BadgeTone, string> = { good: '●', warn: '▲', bad: '■', plain: '○' };

export function Badge({ tone, text, title }: { tone: BadgeTone; text: string; title?: string }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {text}
    </span>
  );
}
