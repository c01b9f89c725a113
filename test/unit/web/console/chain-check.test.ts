/** The verification of the audit in the page: its spans, its words, and a node that is busy. */
import { expect, test } from '@jest/globals';
import { ChainCheck } from '../../../../web/model/console/pages/chain-check.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const span = (left: number, next: string | null, findings: string[] = []) => ({
  records: 5_000,
  chains: 2,
  findings,
  findings_more: 0,
  left,
  next_cursor: next,
});

function open(script: (path: string) => unknown) {
  const caller = new ScriptedCaller(script);
  let ms = 0;
  const check: ChainCheck = new ChainCheck(caller, { now: () => (ms += 2_000) }, async () => {});
  return { caller, check };
}

test('reads span after span to the end, and says how much was whole', async () => {
  const said: string[] = [];
  const { caller, check } = open((path) => {
    said.push(check.sentence);
    return path.includes('after=c_9') ? span(0, null) : span(5_000, 'c_9');
  });
  await check.run();
  expect(caller.calls.map(({ path }) => path)).toEqual([
    '/v1/admin/audit/verify',
    '/v1/admin/audit/verify?after=c_9',
  ]);
  expect(said).toEqual(['Reading the first records …', '5000 records read, 5000 left …']);
  expect(check.sentence).toBe('Whole: 10000 records in 2 chains, verified in 2 s.');
});

test('lists each finding once', async () => {
  const { check } = open((path) =>
    path.includes('after') ? span(0, null, ['a', 'b']) : span(1, 'c_9', ['a']),
  );
  await check.run();
  expect([check.state.value, check.findings.value]).toEqual(['broken', ['a', 'b']]);
  expect(check.sentence).toBe('Not whole: 2 findings in 10000 records in 2 chains.');
});

test('waits for a node that verifies for somebody else, and proves nothing after a refusal', async () => {
  let tries = 0;
  const { check } = open(() => {
    tries += 1;
    if (tries < 3) throw new Refused('overloaded', 503);
    throw new Refused('role_required', 403);
  });
  await check.run();
  expect([tries, check.state.value]).toEqual([3, 'stopped']);
  expect(check.trouble.value?.code).toBe('role_required');
  expect(check.sentence).toBe('Stopped: 0 records read, nothing is proven.');
});
