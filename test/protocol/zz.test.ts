import { test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { nodeA } from '../support/world.js';
test('x', () => {
  const r = spawnSync('curl', ['-s', '-i', '--http2', '-X', 'POST', '-H', 'content-type: application/json', '-d', '{}', nodeA() + '/v1/auth/login'], { encoding: 'utf8' });
  console.log(r.stdout);
});
