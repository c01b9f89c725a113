/** The files that the checks of prose and citations read, and the parts of them that are prose. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const CODE = /^(?:protocol|src|sdk|web|test|scripts|bench|drills|cli)\/.*\.(?:ts|tsx|mjs)$/;
/** Made by programs. Without git, so that an unpacked archive can be checked, too. */
const MADE =
  /^(?:\.git|\.wardroom|coverage|src\/platform\/generated|web\/shots)$|(?:^|\/)(?:node_modules|dist)$/;

/** The files of the project, its pages and its code: `{ files, pages, code }`. */
export function repository(root) {
  const files = filesIn(root, '').sort((a, b) => (a < b ? -1 : 1));
  const read = (file) => ({ file, text: readFileSync(join(root, file), 'utf8') });
  return {
    files,
    pages: files.filter((file) => file.endsWith('.md')).map(read),
    code: files.filter((file) => CODE.test(file)).map(read),
  };
}

function filesIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (MADE.test(path)) return [];
    return entry.isDirectory() ? filesIn(root, path) : [path];
  });
}

/** Lines of a page and their kinds: `prose`, `heading`, `table`, `code`, `generated`, `blank`. */
export function linesOf(markdown) {
  let fence = false;
  let generated = false;
  return markdown.split('\n').map((text, index) => {
    const number = index + 1;
    if (/^\s*```/.test(text)) {
      fence = !fence;
      return { number, text, kind: 'code' };
    }
    if (fence) return { number, text, kind: 'code' };
    if (/^<!-- (?:generated:|figures of)/.test(text)) generated = true;
    const kind = generated ? 'generated' : kindOf(text);
    if (/^<!-- (?:\/generated|end of figures)/.test(text)) generated = false;
    return { number, text, kind };
  });
}

function kindOf(text) {
  if (text.trim() === '') return 'blank';
  if (/^\s*\|/.test(text)) return 'table';
  if (/^#{1,6} /.test(text)) return 'heading';
  return 'prose';
}

/** Comments that begin a line: `{ number, text, lines }`; `text` is one line without the marks. */
export function commentsOf(code) {
  const comments = [];
  let open = null;
  for (const [index, line] of code.split('\n').entries()) {
    const block =
      open === null ? /^\s*\{?\/\*+(.*)$/.exec(line) : /^\s*(?:\*(?!\/))?(.*)$/.exec(line);
    const single = open === null ? /^\s*\/\/(.*)$/.exec(line) : null;
    if (open !== null || block !== null) {
      open ??= { number: index + 1, lines: [], text: '' };
      open.lines.push(line);
      const [, rest] = block;
      const end = rest.indexOf('*/');
      open.text += ` ${(end < 0 ? rest : rest.slice(0, end)).trim()}`;
      if (end < 0 && !rest.includes('*/')) continue;
      comments.push(open);
      open = null;
    } else if (single !== null) {
      const last = comments.at(-1);
      const goesOn = last?.single === true && last.number + last.lines.length === index + 1;
      const comment = goesOn ? last : { number: index + 1, lines: [], text: '', single: true };
      comment.lines.push(line);
      comment.text += ` ${single[1].trim()}`;
      if (!goesOn) comments.push(comment);
    }
  }
  return comments.map(({ number, lines, text }) => ({ number, lines, text: text.trim() }));
}
