/**
 * `npm run build` makes dist/public/: one HTML file a surface, and files whose names hold a hash of
 * their content.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { guidesPlugin } from './docs/guides-plugin.js';
import { packedPlugin } from './packed-plugin.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const PAGES = ['try', 'chat', 'console', 'docs'];

export default defineConfig({
  root: at('.'),
  // Relative, so that the pages work below any path prefix of a proxy.
  base: './',
  publicDir: false,
  logLevel: 'warn',
  // The SDK and the protocol are read from their sources, as the paths of tsconfig.json say.
  resolve: { tsconfigPaths: true },
  plugins: [guidesPlugin(), packedPlugin()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: at('../dist/public'),
    emptyOutDir: true,
    target: 'es2022',
    // No inline script or picture: the pages' policy refuses the former.
    assetsInlineLimit: 0,
    // The text of all guides, which the search loads when it is used.
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Most of a build is compressing.
      checks: { pluginTimings: false },
      // Small parts of several pages travel together: each file of its own compresses worse.
      output: {
        codeSplitting: {
          groups: [{ name: 'kit', test: /[/]web[/](?:tokens|kit[/][\w-]+)[.]/, minShareCount: 2 }],
        },
      },
      input: Object.fromEntries(PAGES.map((name) => [name, at(`${name}.html`)])),
    },
  },
});
