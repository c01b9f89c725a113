/** A page of Markdown as a tree. HTML in it is left out: comments mark generated tables. */
import { marked, type Token, type Tokens } from 'marked';
import type { Guide, GuideElement, GuideNode, Heading, Section } from '../model/docs/guide-tree.js';

/** Where a link of the page leads; null: nowhere that these pages serve. */
export type Follow = (href: string) => string | null;

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };
const ALIGNED: Record<string, string> = { right: 'end', center: 'center' };

export function readGuide(text: string, follow: Follow): Guide & { sections: Section[] } {
  const ids = new Map<string, number>();
  const headings: Heading[] = [];
  const sections: Section[] = [];
  const tree: GuideNode[] = [];
  for (const token of marked.lexer(text)) {
    const nodes = block(token, follow);
    if (token.type === 'heading') {
      const words = wordsOf(nodes);
      const id = idOf(words, ids);
      headings.push({ id, text: words, level: (token as Tokens.Heading).depth });
      sections.push({ slug: '', id, heading: words, text: '' });
      tree.push(['h' + (token as Tokens.Heading).depth, { id }, ...childrenOf(nodes[0]!)]);
      continue;
    }
    tree.push(...nodes);
    const section = sections.at(-1);
    if (section !== undefined) section.text = `${section.text} ${wordsOf(nodes)}`.trim();
  }
  return { title: headings[0]?.text ?? '', headings, tree, sections };
}

function block(token: Token, follow: Follow): GuideNode[] {
  switch (token.type) {
    case 'heading':
    case 'paragraph':
      return [['p', {}, ...inline(token, follow)]];
    case 'text':
      return token.tokens === undefined ? [plain(token.text)] : inline(token, follow);
    case 'code':
      return [['pre', {}, ['code', {}, (token as Tokens.Code).text]]];
    case 'blockquote':
      return [['blockquote', {}, ...blocks((token as Tokens.Blockquote).tokens, follow)]];
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      return [
        [
          ordered ? 'ol' : 'ul',
          {},
          ...items.map((item): GuideElement => ['li', {}, ...blocks(item.tokens, follow)]),
        ],
      ];
    }
    case 'table':
      return [table(token as Tokens.Table, follow)];
    case 'hr':
      return [['hr', {}]];
    case 'html':
      return anchorIn(token);
    case 'space':
    case 'def':
      return [];
    default:
      throw new Error(`a guide holds a ${token.type}, which the pages cannot show`);
  }
}

const blocks = (tokens: readonly Token[], follow: Follow): GuideNode[] =>
  tokens.flatMap((token) => block(token, follow));

function table({ header, rows, align }: Tokens.Table, follow: Follow): GuideElement {
  const row = (cells: Tokens.TableCell[], tag: string): GuideElement => [
    'tr',
    {},
    ...cells.map((cell, i): GuideElement => {
      const side = ALIGNED[align[i] ?? ''];
      const kind = cell.text.trim() === '' ? 'td' : tag;
      return [kind, side === undefined ? {} : { class: side }, ...inline(cell, follow)];
    }),
  ];
  const body = rows.map((cells) => row(cells, 'td'));
  const hasHead = header.some(({ text }) => text.trim() !== '');
  const head: GuideNode[] = hasHead ? [['thead', {}, row(header, 'th')]] : [];
  return ['table', {}, ...head, ['tbody', {}, ...body]];
}

function inline(parent: { tokens?: Token[] }, follow: Follow): GuideNode[] {
  return (parent.tokens ?? []).flatMap((token): GuideNode[] => {
    switch (token.type) {
      case 'text':
        return token.tokens === undefined ? [plain(token.text)] : inline(token, follow);
      case 'escape':
        return [plain((token as Tokens.Escape).text)];
      case 'codespan':
        return [['code', {}, plain((token as Tokens.Codespan).text)]];
      case 'strong':
      case 'em':
      case 'del':
        return [[token.type, {}, ...inline(token, follow)]];
      case 'link': {
        const href = follow((token as Tokens.Link).href);
        const words = inline(token, follow);
        return href === null ? words : [['a', { href }, ...words]];
      }
      case 'image': {
        const { href, text } = token as Tokens.Image;
        const src = follow(href);
        return src === null ? [text] : [['img', { src, alt: text }]];
      }
      case 'br':
        return [['br', {}]];
      case 'html':
        return anchorIn(token);
      default:
        throw new Error(`a guide holds a ${token.type}, which the pages cannot show`);
    }
  });
}

/** `<a id="name"></a>`, a place that links lead to; other HTML is left out. */
function anchorIn(token: Token): GuideNode[] {
  const [, id] = /^<a id="([\w-]+)">/.exec(token.raw) ?? [];
  return id === undefined ? [] : [['span', { id }]];
}

const plain = (text: string): string =>
  text.replaceAll(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ENTITIES[name]!);

const childrenOf = (node: GuideNode): GuideNode[] =>
  typeof node === 'string' ? [node] : (node.slice(2) as GuideNode[]);

/** Cells and list items are words apart. */
export function wordsOf(nodes: readonly GuideNode[]): string {
  const text = (node: GuideNode): string => {
    if (typeof node === 'string') return node;
    const inner = childrenOf(node).map(text).join('');
    return /^(?:li|td|th|tr|p|pre|blockquote)$/.test(node[0]) ? `${inner} ` : inner;
  };
  return nodes.map(text).join('').replaceAll(/\s+/g, ' ').trim();
}

function idOf(words: string, seen: Map<string, number>): string {
  const slug = words
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
  const before = seen.get(slug) ?? 0;
  seen.set(slug, before + 1);
  return before === 0 ? slug : `${slug}-${before}`;
}
