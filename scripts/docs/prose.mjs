/**
 * Plain English that a program can hold: the width of comments and prose, and a short list of
 * openings and pronouns. `wrapped` is what `npm run docs` makes of prose that is too wide.
 */
import { commentsOf, linesOf } from './repository.mjs';

export const COMMENT_WIDTH = 100;
export const PROSE_WIDTH = 120;

/** A sentence begins with its subject, and a clause is no subject. */
const OPENINGS =
  /(?:^|[.!?]\)? +|\*\* +)((?:Who|Whoever|Whose|Whom|What|Whatever|Whichever) )(?![^.!?]*\?)/;
/** People are "they", or the noun again. */
const PRONOUNS = /\b(?:he|him|his|himself)\b/i;

/** Pages that other programs write. */
const GENERATED_PAGES = /^docs\/benchmarks(?:-revocation)?\.md$/;
/** The title of a test or of a group of them, where it is one text. */
const TITLE = new RegExp(
  String.raw`\b(?:test|it|describe)(?:\.\w+)*(?:\((?:[^()]|\([^()]*\))*\))?\(\s*(['"\`])((?:\\.|(?!\1)[^\\])*)\1`,
  'g',
);

export function proseFindings({ pages, code }) {
  return [
    ...pages.filter(({ file }) => !GENERATED_PAGES.test(file)).flatMap(findingsInPage),
    ...code.flatMap(findingsInCode),
    ...code.filter(({ file }) => /\.test\.tsx?$/.test(file)).flatMap(findingsInTitles),
  ];
}

export function findingsInPage({ file, text }) {
  const findings = [];
  for (const { number, text: line, kind } of linesOf(text)) {
    if (kind === 'prose' && isWide(line, PROSE_WIDTH))
      findings.push(`${file}:${number}: prose is wider than ${PROSE_WIDTH} columns: npm run docs`);
    if (kind === 'table') {
      const words = PRONOUNS.exec(plain(line));
      if (words !== null) findings.push(`${file}:${number}: "${words[0]}" for people`);
    }
  }
  for (const { number, text: paragraph } of paragraphsOf(text))
    findings.push(...wordsIn(paragraph).map((what) => `${file}:${number}: ${what}`));
  return findings;
}

export function findingsInCode({ file, text }) {
  return commentsOf(text).flatMap(({ number, lines, text: comment }) => [
    ...lines
      .map((line, index) => ({ line, number: number + index }))
      .filter(({ line }) => isWide(line, COMMENT_WIDTH))
      .map(({ number: at }) => `${file}:${at}: a comment is wider than ${COMMENT_WIDTH} columns`),
    ...wordsIn(comment).map((what) => `${file}:${number}: ${what}`),
  ]);
}

export function findingsInTitles({ file, text }) {
  return [...text.matchAll(TITLE)].flatMap(({ 2: title, index }) =>
    wordsIn(title[0].toUpperCase() + title.slice(1)).map(
      (what) => `${file}:${lineOf(text, index)}: the title: ${what}`,
    ),
  );
}

const lineOf = (text, index) => text.slice(0, index).split('\n').length;

function wordsIn(text) {
  const words = plain(text);
  const opening = OPENINGS.exec(words);
  const pronoun = PRONOUNS.exec(words);
  return [
    ...(opening === null ? [] : [`a sentence begins with "${opening[1].trim()}"`]),
    ...(pronoun === null ? [] : [`"${pronoun[0]}" for people`]),
  ];
}

/** Without code, quotations and the targets of links. */
function plain(text) {
  return text
    .replaceAll(/`[^`]*`/g, '`')
    .replaceAll(/"[^"]*"/g, '"')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/https?:\/\/\S+/g, '');
}

/** A line of one long word, code or URL cannot be narrower; commands in comments are indented. */
function isWide(line, width) {
  if ([...line].length <= width || /https?:\/\//.test(line)) return false;
  if (isFixed(line) || /^\s*(?:\*|\/\/) {3,}\S/.test(line)) return false;
  return wordsToWrap(line.trim().replace(/^(?:[*-]|\/\*\*|\/\/) +/, '')).length > 1;
}

/** Prose of a page in pieces that are wrapped by themselves: paragraphs and items of lists. */
export function paragraphsOf(markdown) {
  const paragraphs = [];
  let open = null;
  for (const { number, text, kind } of linesOf(markdown)) {
    if (kind !== 'prose' || isFixed(text)) {
      open = null;
      continue;
    }
    const item = /^(\s*)(?:[*-]|\d+\.) +/.exec(text);
    if (open === null || item !== null) {
      const marker = item?.[0] ?? /^\s*/.exec(text)[0];
      open = { number, lines: [], marker, text: '' };
      paragraphs.push(open);
    }
    open.lines.push(text);
    const words = open.lines.length === 1 ? text.slice(open.marker.length) : text;
    open.text = `${open.text} ${words.trim()}`.trim();
    if (/(?: {2}|\\)$/.test(text)) open = null;
  }
  return paragraphs;
}

const isFixed = (line) => /^\s*(?:<|>|!\[|\[[^\]]+\]: )/.test(line);

/** Prose wrapped at `PROSE_WIDTH`, paragraph by paragraph, where a line is too wide. */
export function wrapped(markdown, file = '') {
  if (GENERATED_PAGES.test(file)) return markdown;
  const lines = markdown.split('\n');
  for (const paragraph of paragraphsOf(markdown).reverse()) {
    if (!paragraph.lines.some((line) => isWide(line, PROSE_WIDTH))) continue;
    lines.splice(paragraph.number - 1, paragraph.lines.length, ...wrap(paragraph));
  }
  return lines.join('\n');
}

function wrap({ marker, text }) {
  const lines = [];
  let line = '';
  for (const word of wordsToWrap(text)) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (line !== '' && marker.length + joined.length > PROSE_WIDTH) {
      lines.push(line);
      line = word;
    } else line = joined;
  }
  const indent = ' '.repeat(marker.length);
  return [...lines, line].map((each, index) => (index === 0 ? marker : indent) + each);
}

/** Code and links stay on one line, and no line begins as a list, a heading or a table would. */
function wordsToWrap(text) {
  const words = [];
  for (const word of text.match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|\S)+/g) ?? []) {
    const isMark = /^(?:[-+*]|\d+[.)]|[|#>=].*)$/.test(word);
    if (words.length > 0 && isMark) words.push(`${words.pop()} ${word}`);
    else words.push(word);
  }
  return words;
}
