/** The Python client holds every scripted conversation of sdk/conformance/, by its own runner. */
import { execFile } from 'node:child_process';
import { beforeAll, expect, test } from '@jest/globals';
import { scripts } from '../sdk/conformance/script.js';
import { describeWith } from '../support/needs.js';
import { CLIENT, NEEDS_PYTHON, PYTHON, pythonEnv } from './python.js';

interface Played {
  file: string;
  name: string;
  fault: string | null;
}

/** Play all cases; those that stand in none are no failure of the run. */
async function play(): Promise<Played[]> {
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      PYTHON,
      ['-W', 'error::RuntimeWarning', '-m', 'tests.conformance'],
      { cwd: CLIENT, env: pythonEnv(), maxBuffer: 2 ** 26 },
      (error, stdout, stderr) =>
        // 1: a case failed, which its own test says.
        error && error.code !== 1 ? reject(new Error(stderr)) : resolve(stdout),
    );
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Played);
}

describeWith(NEEDS_PYTHON, 'conformance of the Python client')('the Python client', () => {
  let played: Played[];

  beforeAll(async () => {
    played = await play();
  });

  for (const { file, cases } of scripts())
    test.each(cases.map(({ name }) => name))(`${file}: %s`, (name) => {
      expect(played.find((one) => one.file === file && one.name === name)).toEqual({
        file,
        name,
        fault: null,
      });
    });
});
