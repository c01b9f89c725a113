/** Builds the pages of web/ into dist/public/. No network, about a second. */
import { join } from 'node:path';
import { build } from 'vite';
import { root } from './install.mjs';

await build({ configFile: join(root, 'web/vite.config.ts') });
