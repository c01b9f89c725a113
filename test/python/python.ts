/** The Python that has what sdk-python needs, if there is one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const CLIENT = fileURLToPath(new URL('../../sdk-python', import.meta.url));

const WANTED = 'import sys, httpx, websockets; assert sys.version_info >= (3, 10)';
const candidates = [process.env['PYTHON'], '/usr/bin/python3', 'python3'].flatMap((one) =>
  one ? [one] : [],
);
const tried = candidates.map((program) => {
  const { status, error, stderr } = spawnSync(program, ['-c', WANTED], { encoding: 'utf8' });
  return { program, status, why: error?.message ?? stderr.trim().split('\n').at(-1) };
});
const found = tried.find(({ status }) => status === 0);

export const PYTHON = found?.program ?? 'python3';
export const NEEDS_PYTHON = {
  met: found !== undefined,
  reason: `no Python has the modules (${tried.map(({ program, why }) => `${program}: ${why}`).join('; ')})`,
};

/** Python finds the client and writes no `__pycache__`. */
export const pythonEnv = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PYTHONPATH: CLIENT,
  PYTHONDONTWRITEBYTECODE: '1',
});

export const PAGE = fileURLToPath(new URL('../../docs/sdk-python.md', import.meta.url));

/** The programs of the page of the client, as they stand there. */
export const examples = (): string[] =>
  [...readFileSync(PAGE, 'utf8').matchAll(/^```python\n([\s\S]*?)^```$/gm)].map(
    ([, text]) => text!,
  );
