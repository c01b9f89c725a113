/**
 * Plots as plain SVG: bars with the spread of the runs, and lines over a series. Readable on light
 * and dark pages.
 */
import { show } from './figures.mjs';

const INK = '#57606a';
const OTHERS = '#8c959f';
const OURS = '#0969da';
const LINES = ['#8c959f', '#bf8700', '#cf222e', '#0969da', '#1a7f37'];
const FONT = 'font-family="system-ui, sans-serif" font-size="13"';

/** @param {{ label: string, median: number, min: number, max: number, ours: boolean }[]} bars */
export function barPlot(heading, bars, digits) {
  const [left, width, row, top] = [
    30 + 7.5 * Math.max(...bars.map(({ label }) => label.length)),
    760,
    30,
    40,
  ];
  const scale = (width - left - 130) / Math.max(...bars.map(({ max }) => max));
  const height = top + bars.length * row + 10;
  const rows = bars.map(({ label, median, min, max, ours }, i) => {
    const y = top + i * row;
    const middle = y + row / 2 - 3;
    return [
      text(left - 10, middle + 4, label, 'end', ours ? 'bold' : 'normal'),
      `<rect x="${left}" y="${y + 2}" width="${round(median * scale)}" height="${row - 10}" rx="2" fill="${ours ? OURS : OTHERS}"/>`,
      `<path d="M${round(left + min * scale)} ${middle}H${round(left + max * scale)}" stroke="${INK}" stroke-width="2"/>`,
      text(round(left + max * scale) + 8, middle + 4, show(median, digits), 'start', 'normal'),
    ].join('');
  });
  return svg(width, height, heading, rows);
}

/**
 * Logarithmic on both axes. @param {{ label: string, points: { x: number, y: number }[], ours:
 * boolean }[]} lines
 */
export function linePlot(heading, xHeading, lines) {
  const [left, right, top, bottom, width, height] = [70, 160, 40, 50, 720, 400];
  const points = lines.flatMap((line) => line.points);
  const [xs, ys] = [points.map(({ x }) => Math.log10(x)), points.map(({ y }) => Math.log10(y))];
  const [x0, x1, y0, y1] = [
    Math.min(...xs),
    Math.max(...xs),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...ys)),
  ];
  const x = (value) =>
    round(left + ((Math.log10(value) - x0) / (x1 - x0 || 1)) * (width - left - right));
  const y = (value) =>
    round(height - bottom - ((Math.log10(value) - y0) / (y1 - y0 || 1)) * (height - top - bottom));
  const parts = [];
  for (let power = y0; power <= y1; power += 1) {
    parts.push(
      `<path d="M${left} ${y(10 ** power)}H${width - right}" stroke="${OTHERS}" stroke-opacity=".3"/>`,
      text(left - 8, y(10 ** power) + 4, show(10 ** power, Math.max(0, -power)), 'end', 'normal'),
    );
  }
  for (const value of new Set(points.map((point) => point.x)))
    parts.push(text(x(value), height - bottom + 20, show(value, 0), 'middle', 'normal'));
  parts.push(text((left + width - right) / 2, height - 10, xHeading, 'middle', 'normal'));
  const ends = spreadOut(lines.map((line) => y(line.points.at(-1).y)));
  lines.forEach((line, i) => {
    const colour = LINES[i % LINES.length];
    parts.push(
      `<polyline points="${line.points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="${line.ours ? 3 : 2}"/>`,
      ...line.points.map(
        (point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="${colour}"/>`,
      ),
      text(
        width - right + 10,
        ends[i] + 4,
        line.label,
        'start',
        line.ours ? 'bold' : 'normal',
        colour,
      ),
    );
  });
  return svg(width, height, heading, parts);
}

/** Labels at least a line apart. */
function spreadOut(ys) {
  const order = ys.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  const placed = [];
  let last = -Infinity;
  for (const { y, i } of order) placed[i] = last = Math.max(y, last + 16);
  return placed;
}

function svg(width, height, heading, parts) {
  const title = escape(heading);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}" ${FONT}>\n${text(10, 22, heading, 'start', 'bold')}\n${parts.join('\n')}\n</svg>\n`;
}

function text(x, y, words, anchor, weight, colour = INK) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-weight="${weight}" fill="${colour}">${escape(words)}</text>`;
}

const escape = (words) => words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const round = (value) => Math.round(value * 10) / 10;
