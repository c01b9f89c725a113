/** Text for people: aligned, one fact a line. */
import { printable } from './client.mjs';

const shown = (value) =>
  value === null || value === undefined
    ? '-'
    : printable(typeof value === 'object' ? JSON.stringify(value) : value);

/** A sentence, then the facts below it. */
export function facts(sentence, row = {}) {
  const width = Math.max(...Object.keys(row).map((name) => name.length));
  const lines = Object.entries(row).map(
    ([name, value]) => `  ${name.padEnd(width)}  ${shown(value)}`,
  );
  return `${printable(sentence)}\n${lines.join('\n')}\n`;
}

/** `columns`: field of a row by the head of its column. */
export function table(rows, columns) {
  if (rows.length === 0) return 'None.\n';
  const heads = Object.keys(columns);
  const cells = rows.map((row) => Object.values(columns).map((field) => shown(row[field])));
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...cells.map((line) => line[i].length)),
  );
  const line = (texts) =>
    texts
      .map((text, i) => text.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  return [heads, ...cells].map((texts) => `${line(texts)}\n`).join('');
}
