/**
 * P8: whatever can be asked for has a row in the table of budgets, and a bucket that somebody
 * spends.
 */
import { expect, test } from '@jest/globals';
import { CLIENT_FRAMES } from '@wardroom/protocol';
import { BUCKETS, CALL_BUDGETS, FRAME_BUDGETS, isOfPrincipal } from '../../src/budgets/budgets.js';
import { OPERATIONS } from '../../src/api-docs/operations.js';
import { operationsOf } from '../../src/platform/http/operation.js';
import { TryOutController } from '../../src/try-out/try-out.controller.js';

const rows = [...Object.entries(FRAME_BUDGETS), ...Object.entries(CALL_BUDGETS)];

test('every REST call and every frame has a budget, and no budget is left over', () => {
  expect(Object.keys(CALL_BUDGETS).sort()).toEqual(
    [...OPERATIONS, ...operationsOf(TryOutController)]
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  );
  expect(Object.keys(FRAME_BUDGETS).sort()).toEqual(Object.keys(CLIENT_FRAMES).sort());
});

test('no cell is empty', () => {
  for (const [action, { bucket, cost, cpuMs, rows: written }] of rows) {
    expect([action, Object.hasOwn(BUCKETS, bucket), cost > 0, cpuMs > 0, written !== '']).toEqual([
      action,
      true,
      true,
      true,
      true,
    ]);
  }
});

test('a call with a credential is spent by its principal, unless something tighter holds it', () => {
  const others = OPERATIONS.filter(
    ({ auth, method, path }) =>
      auth === 'bearer' && !isOfPrincipal(CALL_BUDGETS[`${method} ${path}`]!.bucket),
  );
  expect(others.map(({ path }) => path)).toEqual(['/v1/auth/password', '/v1/auth/step-up']);
});

test('a public call that hashes nothing and looks nothing up costs at most 2 ms of CPU', () => {
  const documents = rows.filter(([, { bucket }]) => bucket === 'document');
  expect(documents.length).toBeGreaterThan(5);
  expect(documents.filter(([, { cpuMs }]) => cpuMs > 2)).toEqual([]);
});
