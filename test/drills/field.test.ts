/** The field on real servers: two nodes pass, and a server that checks at the handshake fails. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bareWs } from '../../bench/field/adapters/bare-ws.mjs';
import { fieldOf } from '../../bench/field/adapters/wardroom.mjs';
import { TIMING, TRIALS } from '../../bench/field/trials.mjs';
import { nodeA, nodeB, operator } from '../support/world.js';

/** The bound is for a machine that runs other test files beside. */
const QUICK = { ...TIMING, watchMs: 1_500, idleWatchMs: 1_500, boundMs: 1_000 };
const folder = mkdtempSync(join(tmpdir(), 'wardroom-field-test-'));
const PUT = ['D1', 'D3', 'D4', 'D8', 'D9'];
/** Verdicts of Wardroom and of bare ws, by trial: all of them wait most of the time. */
let verdicts: Record<string, string[]>;

beforeAll(async () => {
  const servers = [
    await fieldOf({ urls: [nodeA(), nodeB()], operator: await operator() }),
    await bareWs.start(folder),
  ];
  try {
    const outcomes = PUT.map((trial) =>
      Promise.all(servers.map((server) => TRIALS[trial]!.run(server, QUICK))),
    );
    const all = await Promise.all(outcomes);
    verdicts = Object.fromEntries(
      PUT.map((trial, i) => [trial, all[i]!.map(({ verdict }) => verdict)]),
    );
  } finally {
    for (const server of servers) await server.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(PUT)('%s: two nodes pass, bare ws fails', (trial) => {
  expect(verdicts[trial]).toEqual(['passed', 'failed']);
});
