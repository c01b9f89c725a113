import { describe, expect, test } from '@jest/globals';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { curlOf } from '../../../web/model/calls.js';
import { CLOSE_SENTENCES, sentenceOf } from '../../../web/model/sentences.js';
import { Run, stepsOfReceipt, type ReceiptView } from '../../../web/model/sequence.js';
import { textOf, withoutToken } from '../../../web/model/tab.js';

const receipt: ReceiptView = {
  effective: true,
  sessions: 1,
  connections_closed: 2,
  committed_ms: 9,
  nodes: [
    { id: 'node-a', state: 'confirmed', ms: 14 },
    { id: 'node-b', state: 'fenced', ms: 17 },
  ],
  ms: 18,
};
const nameOf = (id: string): string => id.replace('node-', '');

describe('the steps of a receipt', () => {
  test('lie between the call and its answer, with the time on the way split in halves', () => {
    const steps = stepsOfReceipt(
      receipt,
      { calledMs: 0, answeredMs: 22, firstEffectMs: Infinity },
      nameOf,
    );
    expect(steps.map(({ ms, text, tone }) => [ms, text, tone])).toEqual([
      [11, 'committed in Postgres', 'plain'],
      [16, 'node a confirmed', 'plain'],
      [19, 'node b fenced', 'warn'],
      [22, 'receipt: effective', 'good'],
    ]);
  });

  test('never put the commit after an effect that a socket saw', () => {
    const [committed] = stepsOfReceipt(
      receipt,
      { calledMs: 0, answeredMs: 200, firstEffectMs: 12 },
      nameOf,
    );
    expect(committed).toMatchObject({ ms: 12, text: 'committed in Postgres' });
    const run = new Run(1, '', '', 0, new Date());
    run.add({ ms: 12, text: 'ben tab 2: goodbye', tone: 'bad', effect: true });
    run.add(committed!);
    expect(run.steps.value.map(({ text }) => text)).toEqual([
      'committed in Postgres',
      'ben tab 2: goodbye',
    ]);
  });

  test('say pending of a receipt that is not effective', () => {
    const steps = stepsOfReceipt(
      { ...receipt, effective: false },
      { calledMs: 0, answeredMs: 22, firstEffectMs: Infinity },
      nameOf,
    );
    expect(steps.at(-1)).toMatchObject({ text: 'receipt: pending', tone: 'warn' });
  });
});

test('every close code has a sentence, and a code of a newer server has that of its action', () => {
  expect(Object.keys(CLOSE_SENTENCES).sort()).toEqual(Object.keys(CLOSE_CODES).sort());
  expect(sentenceOf('session_revoked', 'login').title).toBe('Signed out');
  expect(sentenceOf('a_code_of_tomorrow', 'login').title).toBe('Signed out');
  expect(sentenceOf('constructor', 'stop').title).toBe('Stopped');
});

test('the log of frames shows no credential', () => {
  expect(withoutToken('{"type":"auth","token":"eyJhbGciOi.x.y"}')).toBe(
    '{"type":"auth","token":"(hidden)"}',
  );
  expect(withoutToken('{"type":"auth_refresh","ticket":"wr_tk_x","id":"1"}')).toBe(
    '{"type":"auth_refresh","ticket":"(hidden)","id":"1"}',
  );
});

test('a curl holds no token, only the name of a variable', () => {
  expect(
    curlOf('http://localhost:3000', {
      as: 'operator',
      method: 'POST',
      path: '/v1/admin/revocations',
      body: { session: 'x' },
    }),
  ).toBe(
    `curl -s -X POST 'http://localhost:3000/v1/admin/revocations' -H "authorization: Bearer $OPERATOR" -H 'content-type: application/json' -d '{"session":"x"}'`,
  );
});

test('any body has a text', () => {
  expect([
    textOf('a'),
    textOf({ text: 'b' }),
    textOf({ text: 1 }),
    textOf(null),
    textOf([1]),
  ]).toEqual(['a', 'b', '{"text":1}', 'null', '[1]']);
});
