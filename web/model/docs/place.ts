/** A place in the docs, as its address says. */
export type Place =
  { kind: 'guide'; slug: string; anchor: string } | { kind: 'rest' | 'frames'; anchor: string };

export const FIRST = 'readme';

/** `path` begins behind `/docs`. */
export function readPlace(path: string, hash: string): Place {
  const slug = path.replace(/^\/+|\/+$/g, '');
  const anchor = decode(hash.replace(/^#/, ''));
  if (slug === 'api/rest') return { kind: 'rest', anchor };
  if (slug === 'api/frames') return { kind: 'frames', anchor };
  return { kind: 'guide', slug: slug === '' ? FIRST : slug, anchor };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `guide:sdk#install` as a link of the page; everything else as it is. */
export function hrefOf(link: string, root: string): string {
  if (!link.startsWith('guide:')) return link;
  const [slug, anchor] = link.slice('guide:'.length).split('#') as [string, string?];
  return `${root}/${slug}${anchor === undefined ? '' : `#${anchor}`}`;
}
