/** The search in guides: sections with every word, those first that have them in the heading. */
import type { Section } from './guide-tree.js';

export interface Hit {
  section: Section;
  /** Some words around the first hit. */
  excerpt: string;
}

const HITS_MAX = 30;
const EXCERPT = { before: 40, length: 160 };

export function searchSections(sections: readonly Section[], query: string): Hit[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  return sections
    .map((section) => ({ section, score: scoreOf(section, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, HITS_MAX)
    .map(({ section }) => ({ section, excerpt: excerptOf(section.text, words) }));
}

const wordsOf = (query: string): string[] =>
  query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');

/** Zero: not all of the words are there. */
function scoreOf({ heading, text }: Section, words: readonly string[]): number {
  const [head, body] = [heading.toLowerCase(), text.toLowerCase()];
  if (!words.every((word) => head.includes(word) || body.includes(word))) return 0;
  const inHeading = words.filter((word) => head.includes(word)).length;
  return 1 + 4 * inHeading + (head === words.join(' ') ? 4 : 0);
}

function excerptOf(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  const first = Math.min(
    ...words.map((word) => lower.indexOf(word)).map((at) => (at < 0 ? Infinity : at)),
  );
  if (first === Infinity) return text.slice(0, EXCERPT.length);
  const wanted = Math.max(0, first - EXCERPT.before);
  const from = wanted === 0 ? 0 : text.indexOf(' ', wanted) + 1;
  const piece = text.slice(from, from + EXCERPT.length);
  return `${from > 0 ? '… ' : ''}${piece}${from + EXCERPT.length < text.length ? ' …' : ''}`;
}
