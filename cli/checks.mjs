/**
 * Lines of checks: id, sentence, measured, bound, verdict, and for a failure the page that explains
 * it.
 */
import { printable } from './client.mjs';

/** @typedef {'ok' | 'warn' | 'fail'} Verdict */
/**
 * @typedef {object} Line
 * @property {string} id
 * @property {string} sentence
 * @property {string} measured
 * @property {string} bound
 * @property {Verdict} verdict
 * @property {string | null} page
 */

/**
 * @param {string} id
 * @param {Verdict} verdict
 * @param {string} sentence
 * @param {{ measured?: unknown, bound?: unknown, page?: string }} [facts]
 * @returns {Line}
 */
export const line = (id, verdict, sentence, { measured = '-', bound = '-', page } = {}) => ({
  id,
  sentence,
  measured: String(measured),
  bound: String(bound),
  verdict,
  page: verdict === 'ok' ? null : (page ?? null),
});

/** @param {Line[]} lines */
export function linesText(lines) {
  const width = Math.max(0, ...lines.map(({ id }) => id.length));
  const texts = lines.flatMap(({ id, sentence, measured, bound, verdict, page }) => [
    `${verdict.padEnd(4)}  ${id.padEnd(width)}  ${printable(sentence)}`,
    ...(measured === '-' && bound === '-'
      ? []
      : [`${' '.repeat(width + 8)}measured ${printable(measured)}, bound ${printable(bound)}`]),
    ...(page === null ? [] : [`${' '.repeat(width + 8)}${page}`]),
  ]);
  const count = (of) => lines.filter(({ verdict }) => verdict === of).length;
  const sum = `${lines.length} checks: ${count('fail')} failed, ${count('warn')} to look at.`;
  return `${[...texts, '', sum].join('\n')}\n`;
}

/** @param {Line[]} lines */
export const failed = (lines) => lines.some(({ verdict }) => verdict === 'fail');
