/**
 * A small subset of Markdown as a tree, for a view that makes nodes of it and never HTML: fenced
 * code, quotes, `code`, **bold**, *italic*, links that are written out, and mentions. Linear in the
 * length of the text.
 */
export type Inline =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'bold' | 'italic'; readonly parts: readonly Inline[] }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }
  | { readonly kind: 'mention'; readonly text: string };
export type Block =
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'quote' | 'paragraph'; readonly lines: readonly (readonly Inline[])[] };

const FENCE = /^```[\w+-]{0,20}$/;

/** `names`: the names after `@` that are mentions, longest first. */
export function readMarkdown(text: string, names: readonly string[] = []): Block[] {
  const blocks: Block[] = [];
  let lines: Inline[][] = [];
  let kind: 'quote' | 'paragraph' = 'paragraph';
  const end = () => {
    if (lines.length > 0) blocks.push({ kind, lines });
    lines = [];
  };
  const all = text.split(/\r?\n/);
  for (let i = 0; i < all.length; i += 1) {
    const line = all[i]!;
    const closing = FENCE.test(line) ? all.indexOf('```', i + 1) : -1;
    if (closing > 0) {
      end();
      blocks.push({ kind: 'code', text: all.slice(i + 1, closing).join('\n') });
      i = closing;
      continue;
    }
    const isQuote = line.startsWith('>');
    if (line.trim() === '' || (isQuote ? 'quote' : 'paragraph') !== kind) end();
    kind = isQuote ? 'quote' : 'paragraph';
    if (line.trim() !== '')
      lines.push(readInline(isQuote ? line.slice(1).trimStart() : line, names));
  }
  end();
  return blocks;
}

/** The text without its marks, on one line: for a list, or for a line that leads to a message. */
export function plainText(text: string): string {
  const plain = (parts: readonly Inline[]): string =>
    parts.map((part) => ('parts' in part ? plain(part.parts) : part.text)).join('');
  return readMarkdown(text)
    .map((block) => ('lines' in block ? block.lines.map(plain).join(' ') : block.text))
    .join(' ');
}

/** The next thing that may be more than text. */
const MARK = /`|\*\*|\*|https?:\/\/|@/g;
const URL_END = /[\s<>"'`]/;

function readInline(text: string, names: readonly string[]): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  const push = (to: number, part: Inline, next: number) => {
    if (to > from) parts.push({ kind: 'text', text: text.slice(from, to) });
    parts.push(part);
    from = next;
    MARK.lastIndex = next;
  };
  // A mark without its other end is looked for once only.
  const lost = new Set<string>();
  MARK.lastIndex = 0;
  for (let mark = MARK.exec(text); mark !== null; mark = MARK.exec(text)) {
    const { index: at, 0: sign } = mark;
    const after = at + sign.length;
    if (sign === '@') {
      const name = names.find((each) => text.startsWith(each, after));
      if (name !== undefined) push(at, { kind: 'mention', text: `@${name}` }, after + name.length);
    } else if (sign.length > 2) {
      const link = readLink(text, at);
      if (link !== null) push(at, link, at + link.text.length);
    } else {
      const end = lost.has(sign) ? -1 : text.indexOf(sign, after);
      if (end < 0) lost.add(sign);
      else if (end > after)
        push(at, marked(sign, text.slice(after, end), names), end + sign.length);
    }
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

function marked(sign: string, inner: string, names: readonly string[]): Inline {
  if (sign === '`') return { kind: 'code', text: inner };
  // One level deep: bold may hold italic, and nothing holds itself.
  const parts = sign === '**' ? readInline(inner, names) : [{ kind: 'text', text: inner } as const];
  return { kind: sign === '**' ? 'bold' : 'italic', parts };
}

/** An address as it is written; what stands at its end like punctuation is none of it. */
function readLink(text: string, at: number): (Inline & { kind: 'link' }) | null {
  const rest = text.slice(at, at + 2000);
  const end = rest.search(URL_END);
  const shown = (end < 0 ? rest : rest.slice(0, end)).replace(/[.,;:!?)\]*]{1,8}$/, '');
  const href = parsed(shown);
  return href === null ? null : { kind: 'link', text: shown, href };
}

function parsed(text: string): string | null {
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}
