/** Runs the command `wardroom` with a home of this file alone. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { nodeA } from '../support/world.js';

const command = fileURLToPath(new URL('../../cli/wardroom.mjs', import.meta.url));
export const home = mkdtempSync(join(tmpdir(), 'wardroom-command-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** `input` is its stdin. */
export function wardroom(
  args: string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Ran> {
  const options = {
    env: { PATH: process.env['PATH']!, XDG_CONFIG_HOME: home, WARDROOM_URL: nodeA(), ...env },
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}
