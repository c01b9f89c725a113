/** Connections that a proxy keeps for its next call (test/faults/nginx.test.ts has the proxy). */
import { expect, test } from '@jest/globals';
import { nodeA } from '../support/world.js';

test('an idle connection is kept longer than proxies keep theirs: 60 s, some 75', async () => {
  const { headers } = await fetch(`${nodeA()}/livez`);
  expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(75);
});
