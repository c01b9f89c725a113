/**
 * `npm run docs` writes the tables that the code owns between `<!-- generated:NAME -->` and `<!--
 * /generated -->` in README.md and docs/; `npm run docs -- --check` changes nothing, names the
 * files that differ and exits 1.
 */
import './require-node.mjs';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ensureBuilt, ensureInstalled, root } from './install.mjs';

const BLOCK = /<!-- generated:([a-z-]+) -->\n([\s\S]*?)<!-- \/generated -->/g;

const check = process.argv.slice(2).includes('--check');
ensureInstalled();
if (!ensureBuilt()) process.exit(1);
const { tables } = await import('./docs/tables.mjs');

const differing = [];
for (const file of markdownFiles()) {
  const before = readFileSync(file, 'utf8');
  const after = withTables(before, relative(root, file));
  if (after === before) continue;
  differing.push(relative(root, file));
  if (!check) writeFileSync(file, after);
}
if (check && differing.length > 0) {
  console.error(
    `The tables in ${differing.join(', ')} are not what the code says. Run: npm run docs`,
  );
  process.exit(1);
}
console.log(
  differing.length === 0 ? 'Every table is what the code says.' : `Wrote ${differing.join(', ')}.`,
);

function markdownFiles() {
  const docs = join(root, 'docs');
  const pages = existsSync(docs)
    ? readdirSync(docs, { recursive: true, encoding: 'utf8' }).map((name) => join(docs, name))
    : [];
  return [join(root, 'README.md'), ...pages]
    .filter((file) => file.endsWith('.md') && existsSync(file))
    .sort();
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
