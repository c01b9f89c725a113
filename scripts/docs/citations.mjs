/**
 * Every citation can be followed: links between pages, files that pages and comments name,
 * decisions (ADR), promises (P1 to P9) and sections of the contract.
 */
import { basename, dirname, join, normalize } from 'node:path';
import { commentsOf, linesOf } from './repository.mjs';

const FOLDERS = 'protocol|src|test|scripts|bench|docs|deploy|prisma|sdk|web|drills|cli';
const SUFFIXES = 'ts|tsx|mjs|cjs|js|md|sql|prisma|conf|json|pml|py';
const PATH = new RegExp(`^(?:${FOLDERS})/[\\w./-]*$`);
const PATH_IN_COMMENT = new RegExp(
  `(?<![\\w./-])(?:${FOLDERS})/[\\w./-]+\\.(?:${SUFFIXES})\\b`,
  'g',
);
const NAME = new RegExp(`^[\\w.-]+\\.(?:ts|tsx|mjs|cjs|sql)$`);
const NAME_IN_COMMENT = /(?<![\w./<-])[a-z][\w-]*(?:\.[\w-]+)*\.(?:ts|tsx|mjs|sql)\b/g;
/** Made by a build, or by the reader as the page says. */
const MADE =
  /^(?:prisma\/package\.json$|sdk\/dist\/|web\/shots\/|deploy\/tls\/|src\/platform\/generated\/|demo\.mjs$|bench\.mjs$)/;

export function deadCitations({ files, pages, code }) {
  const known = knownOf(files, pages);
  return [
    ...pages.flatMap((page) => deadInPage(page, known)),
    ...code.flatMap(({ file, text }) =>
      commentsOf(text).flatMap((comment) =>
        deadInComment(comment.text, known).map((what) => `${file}:${comment.number}: ${what}`),
      ),
    ),
  ];
}

function knownOf(files, pages) {
  const all = new Set(files.flatMap((file) => [file, ...parentsOf(file)]));
  const textOf = new Map(pages.map(({ file, text }) => [file, text]));
  const headings = new Map(pages.map(({ file, text }) => [file, anchorsOf(text)]));
  return {
    names: new Set(files.map((file) => basename(file))),
    has: (path) => all.has(path) || all.has(path.replace(/\.js$/, '.ts')),
    anchors: (file) => headings.get(file),
    adr: new Set(files.map((file) => /^docs\/adr\/(\d{4})-/.exec(file)?.[1])),
    promises: headings.get('docs/promises.md') ?? new Set(),
    sections: new Set(
      [...(textOf.get('docs/contract.md') ?? '').matchAll(/^## (\d+)\./gm)].map(([, n]) => n),
    ),
  };
}

function parentsOf(file) {
  const parent = dirname(file);
  return parent === '.' ? [] : [parent, `${parent}/`, ...parentsOf(parent)];
}

function deadInPage({ file, text }, known) {
  const dead = [];
  for (const { number, text: line, kind } of linesOf(text)) {
    if (kind === 'code') continue;
    const found = [
      ...deadLinks(file, line, known),
      ...deadPaths(line, known),
      ...deadNumbers(line, known),
    ];
    dead.push(...found.map((what) => `${file}:${number}: ${what}`));
  }
  return dead;
}

function* deadLinks(file, line, known) {
  for (const [, target] of line.replaceAll(/`[^`]*`/g, '`').matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#');
    const page = path === '' ? file : normalize(join(dirname(file), path)).replace(/\/$/, '');
    if (!known.has(page)) yield `the link to ${target} leads to no file`;
    else if (anchor !== undefined && !known.anchors(page)?.has(anchor))
      yield `the link to ${target} leads to no heading`;
  }
}

/** A file that a decision names and that is gone is followed by "(removed)". */
function* deadPaths(line, known) {
  for (const [, quoted, after] of line.matchAll(/`([^`]+)`( \(removed\))?/g)) {
    const path = quoted.replace(/:\d+$/, '');
    if (after !== undefined || MADE.test(path)) continue;
    if (PATH.test(path) ? !known.has(path) : NAME.test(path) && !known.names.has(path))
      yield `there is no file ${path}`;
  }
}

function deadInComment(text, known) {
  const paths = [...text.matchAll(PATH_IN_COMMENT)].map(([path]) => path);
  const names = [...text.matchAll(NAME_IN_COMMENT)].map(([name]) => name);
  return [
    ...paths
      .filter((path) => !MADE.test(path) && !known.has(path))
      .map((path) => `there is no file ${path}`),
    ...names
      .filter((name) => !MADE.test(name) && !known.names.has(name))
      .map((name) => `there is no file ${name}`),
    ...deadNumbers(text, known),
  ];
}

function* deadNumbers(text, known) {
  for (const [, n] of text.matchAll(/\bADR (\d{4})\b|\badr\/(\d{4})/gi))
    if (n !== undefined && !known.adr.has(n)) yield `there is no ADR ${n}`;
  for (const [promise, n] of text.matchAll(/(?<![\w-])P(\d)(?![\w-])/g))
    if (!known.promises.has(`p${n}`)) yield `docs/promises.md has no ${promise}`;
  for (const [, list] of text.matchAll(
    /\bcontract[,(\s]+sections? (\d+(?:(?:, | and | or )\d+)*)/gi,
  ))
    for (const [n] of list.matchAll(/\d+/g))
      if (!known.sections.has(n)) yield `docs/contract.md has no section ${n}`;
}

/** The anchors that the heads of a page have on GitHub. */
export function anchorsOf(text) {
  const anchors = new Set();
  for (const { text: line, kind } of linesOf(text)) {
    const named = /^<a id="([^"]+)"><\/a>$/.exec(line);
    if (named !== null) anchors.add(named[1]);
    if (kind !== 'heading') continue;
    const plain = line.replace(/^#+ /, '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = plain
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}
