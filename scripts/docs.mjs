/**
 * `npm run docs` writes the tables that the code owns between `<!-- generated:NAME -->` and `<!--
 * /generated -->` in every page, wraps prose that is too wide, and writes the dashboard. With
 * `--check` it changes nothing: it names files that differ and citations that lead nowhere, and
 * exits 1 for any of them.
 */
import './lib/require-node.mjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadCitations } from './docs/citations.mjs';
import { proseFindings, wrapped } from './docs/prose.mjs';
import { repository } from './docs/repository.mjs';
import { ensureBuilt, ensureInstalled, root } from './lib/install.mjs';
import { dashboardText } from './observability/dashboard.mjs';

const BLOCK = /<!-- generated:([a-z-]+) -->\n([\s\S]*?)<!-- \/generated -->/g;

const check = process.argv.slice(2).includes('--check');
ensureInstalled();
if (!ensureBuilt()) process.exit(1);
const { tables } = await import('./docs/tables.mjs');
const { pythonTypes } = await import('./docs/python-types.mjs');

const all = repository(root);
const differing = [];
for (const { file, text } of all.pages) {
  const after = wrapped(withTables(text, file), file);
  if (after === text) continue;
  differing.push(file);
  if (!check) writeFileSync(join(root, file), after);
}
const written = {
  'deploy/observability/grafana/wardroom.json': dashboardText(),
  ...pythonTypes(),
};
for (const [file, text] of Object.entries(written)) {
  if (textOf(file) === text) continue;
  differing.push(file);
  if (!check) writeFileSync(join(root, file), text);
}
const findings = check ? [...deadCitations(all), ...proseFindings(all)] : [];
if (check && differing.length > 0)
  findings.unshift(
    `Tables or width of ${differing.join(', ')} are not as they should be: npm run docs`,
  );
if (findings.length > 0) {
  console.error(findings.join('\n'));
  process.exit(1);
}
console.log(
  differing.length === 0
    ? 'Tables, width and citations are right.'
    : `Wrote ${differing.join(', ')}.`,
);

function textOf(file) {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
}

function withTables(text, file) {
  const opened = text.match(/<!-- generated:/g)?.length ?? 0;
  const closed = text.match(BLOCK)?.length ?? 0;
  if (opened !== closed)
    throw new Error(
      `${file}: ${opened} generated blocks are opened and ${closed} are well-formed and closed.`,
    );
  return text.replace(BLOCK, (_, name) => {
    if (tables[name] === undefined)
      throw new Error(
        `${file}: there is no table "${name}". Known: ${Object.keys(tables).join(', ')}.`,
      );
    return `<!-- generated:${name} -->\n${tables[name]()}\n<!-- /generated -->`;
  });
}
