/** The log names lines of the source, although the service is one file (ADR 0017). */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { startCluster, startNode } from '../support/node-process.js';

test('a stack in the log names the file and the very line of the source', async () => {
  const { env } = await startCluster(1);
  // A node that was given another PUBLIC_URL than its cluster says so and ends.
  const output = await startNode({ ...env, PUBLIC_URL: 'http://other.test' }).then(
    () => '',
    ({ message }: Error) => message,
  );
  const [, file, line] =
    /file:\/\/(\S+\/src\/auth\/tokens\/public-url\.ts):(\d+):\d+/.exec(output) ?? [];
  expect(readFileSync(file!, 'utf8').split('\n')[Number(line) - 1]).toContain('throw new Error(');
});
