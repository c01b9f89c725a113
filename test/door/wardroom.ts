/** Runs the command `wardroom` as an operator does. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeA } from '../support/world.js';

export const command = fileURLToPath(new URL('../../cli/wardroom.mjs', import.meta.url));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** With no other environment than this; `input` is its stdin. */
export function wardroom(
  args: string[],
  env: Record<string, string> = { WARDROOM_URL: nodeA() },
  input = '',
): Promise<Ran> {
  const options = {
    env: { PATH: process.env['PATH']!, XDG_CONFIG_HOME: '/nonexistent', ...env },
    maxBuffer: 2 ** 28,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}
