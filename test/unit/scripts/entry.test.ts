/** `node dist/main.js` (ADR 0020): it starts from the bytecode of the build, and never from that of another text. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { removeAtEnd } from '../../../scripts/children.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SECOND = 1_000;

test('the bytecode that the build made is taken by this Node', () => {
  const look = `
    const { Script } = require('node:vm');
    const [text, cachedData] = ['service.cjs', 'service.bytecode'].map((name) => fs.readFileSync('dist/' + name));
    const filename = url.pathToFileURL('dist/service.cjs').href;
    console.log(new Script(text.toString(), { filename, cachedData }).cachedDataRejected);`;
  expect(inNode(['-e', look], root)).toBe('false');
});

test('bytecode is not taken for that of a service that was changed since, nor needed', () => {
  const dist = mkdtempSync(join(tmpdir(), 'wardroom-entry-'));
  removeAtEnd(dist);
  copyFileSync(join(root, 'scripts/entry.mjs'), join(dist, 'main.mjs'));
  const save = (says: string, secondsAgo: number): void => {
    writeFileSync(join(dist, 'service.cjs'), `(function (require, $load$, entry) { console.log('${says}'); })`);
    changed('service.cjs', secondsAgo);
  };
  const changed = (name: string, secondsAgo: number): void => utimesSync(join(dist, name), new Date(), new Date(Date.now() - secondsAgo * SECOND));
  save('first', 9);
  expect(inNode(['main.mjs'], dist)).toBe('first');
  const keep = `import { script } from './main.mjs'; import fs from 'node:fs'; fs.writeFileSync('service.bytecode', script.createCachedData());`;
  inNode(['--input-type=module', '-e', keep], dist);
  changed('service.bytecode', 6);
  expect(inNode(['main.mjs'], dist)).toBe('first');
  save('other', 7);
  expect(inNode(['main.mjs'], dist)).toBe('first'); // V8 compares lengths only: what the next line is for
  save('other', 3);
  expect(inNode(['main.mjs'], dist)).toBe('other');
});

function inNode(args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: {} });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}
