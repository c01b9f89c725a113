/** A guide: its tree as elements. */
import { h, type ComponentChildren } from 'preact';
import { hrefOf } from '../model/docs/place.js';
import type { Guide, GuideNode } from '../model/docs/guide-tree.js';
import { Link } from './link.js';
import { root } from './state.js';

export function GuideView({ guide }: { guide: Guide & { pictures: string[] } }) {
  const inner = guide.headings.filter(({ level }) => level === 2);
  return (
    <div class="guide">
      <article>{guide.tree.map((node) => draw(node, guide.pictures))}</article>
      {inner.length < 3 ? null : (
        <nav class="toc" aria-label="On this page">
          <h2>On this page</h2>
          <ul>
            {inner.map(({ id, text }) => (
              <li key={id}>
                <Link href={`#${id}`}>{text}</Link>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </div>
  );
}

function draw(node: GuideNode, pictures: readonly string[]): ComponentChildren {
  if (typeof node === 'string') return node;
  const [tag, props, ...children] = node;
  const inner = children.map((child) => draw(child, pictures));
  if (tag === 'a' && props['href'] !== undefined)
    return <Link href={hrefOf(props['href'], root)}>{inner}</Link>;
  if (tag === 'img') {
    const [, at] = /^picture:(\d+)$/.exec(props['src']!) ?? [];
    return (
      <img src={at === undefined ? props['src'] : pictures[Number(at)]} alt={props['alt'] ?? ''} />
    );
  }
  // A wide table scrolls by itself, also by keys.
  if (tag === 'table' || tag === 'pre')
    return (
      <div class="wide" tabIndex={0} role="group" aria-label={tag === 'pre' ? 'code' : 'table'}>
        {h(tag, props, ...inner)}
      </div>
    );
  return h(tag, props, ...inner);
}
