/**
 * What `node dist/main.js` is: the service from one file, with the bytecode that the build made of it (ADR 0020). Where another
 * version of Node made that, or the file was changed since, or there is none, V8 compiles the file as any other and the start takes longer.
 */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

const service = new URL('service.cjs', import.meta.url);
const bytecode = new URL('service.bytecode', import.meta.url);
const madeMs = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;

// As later versions of Node have it. Without it pg makes a `Response` to know where it runs, which loads the whole of fetch (20 ms).
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };

/** For scripts/rehearse.mjs. */
export const script = new Script(readFileSync(service, 'utf8'), {
  filename: service.href,
  cachedData: madeMs(bytecode) >= madeMs(service) ? readFileSync(bytecode) : undefined,
});
script.runInThisContext()(createRequire(import.meta.url), (name) => import(name), import.meta);
