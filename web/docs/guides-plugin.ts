/**
 * The guides as modules of the build: `virtual:guides` is the menu, with a function for each guide
 * that loads it, and `virtual:guide-sections` is what the search reads. Pictures become files.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import type { GuideGroup } from '../model/docs/guide-tree.js';
import { GUIDES, slugOf } from './guides.js';
import { readGuide } from './read-guide.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MENU = 'virtual:guides';
const SECTIONS = 'virtual:guide-sections';
const GUIDE = 'virtual:guide/';

export function guidesPlugin(): Plugin {
  const decisions = readdirSync(join(root, 'docs/adr'))
    .filter((file) => /^\d{4}-/.test(file))
    .map((file) => `docs/adr/${file}`);
  const groups = { ...GUIDES, Decisions: decisions };
  const files = Object.values(groups).flat();
  const fileOf = new Map(files.map((file) => [slugOf(file), file]));
  /** With a number for each picture, in the order of the page. */
  const read = (file: string) => {
    const pictures: string[] = [];
    const guide = readGuide(readFileSync(join(root, file), 'utf8'), (href) => {
      if (/^https?:/.test(href)) return href;
      const [path, anchor] = href.split('#') as [string, string?];
      const target = path === '' ? file : posix.join(dirname(file), path);
      if (/\.(?:svg|png)$/.test(target)) return `picture:${pictures.push(target) - 1}`;
      if (!fileOf.has(slugOf(target))) return null;
      return `guide:${slugOf(target)}${anchor === undefined ? '' : `#${anchor}`}`;
    });
    return { ...guide, pictures };
  };
  return {
    name: 'guides',
    resolveId: (id) => (id.startsWith('virtual:guide') ? `\0${id}` : null),
    load(resolved) {
      const id = resolved.slice(1);
      if (id === MENU) {
        const menu = Object.entries(groups).map(([name, paths]): GuideGroup => ({
          name,
          guides: paths.map((file) => ({ slug: slugOf(file), title: read(file).title })),
        }));
        const loaders = files.map((file) => {
          const slug = JSON.stringify(slugOf(file));
          return `${slug}: () => import(${JSON.stringify(GUIDE + slugOf(file))})`;
        });
        return `export const groups = ${JSON.stringify(menu)};
export const loaders = {${loaders.join(',')}};`;
      }
      if (id === SECTIONS) {
        const sections = files.flatMap((file) =>
          read(file).sections.map((section) => ({ ...section, slug: slugOf(file) })),
        );
        return `export default ${JSON.stringify(sections)};`;
      }
      if (!id.startsWith(GUIDE)) return null;
      const { title, headings, tree, pictures } = read(fileOf.get(id.slice(GUIDE.length))!);
      const urls = pictures.map((path) => {
        const source = readFileSync(join(root, path));
        const ref = this.emitFile({ type: 'asset', name: posix.basename(path), source });
        return `import.meta.ROLLUP_FILE_URL_${ref}`;
      });
      return `export default ${JSON.stringify({ title, headings, tree })};
export const pictures = [${urls.join(',')}];`;
    },
  };
}
