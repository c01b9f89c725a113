/** The password once more: one dialog for everything that waits for it. */
import { expect, test } from '@jest/globals';
import { StepUp } from '../../../../web/model/console/step-up.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const PASSWORD = 'right';

function open(left: number | null = 0) {
  const caller = new ScriptedCaller((_, { method, body }) => {
    if (method !== 'POST') return { auth_time: null, expires_in: left };
    if ((body as { password: string }).password !== PASSWORD)
      throw new Refused('invalid_credentials', 401);
    return { auth_time: '2026-11-30T10:00:00.000Z', expires_in: 600 };
  });
  return { caller, stepUp: new StepUp(() => caller) };
}

test('a wrong password is said and asked for again; the right one lets all who wait go on', async () => {
  const { stepUp } = open();
  const waiting = [stepUp.ask(), stepUp.ask()];
  expect(stepUp.isAsking.value).toBe(true);
  await stepUp.give('wrong');
  expect([stepUp.isAsking.value, stepUp.refused.value]).toEqual([true, 'The password is wrong.']);
  await stepUp.give(PASSWORD);
  expect(await Promise.all(waiting)).toEqual([true, true]);
  expect(stepUp.isAsking.value).toBe(false);
});

test('giving up is an answer, and the next one is asked afresh', async () => {
  const { stepUp, caller } = open();
  const waiting = stepUp.ask();
  await stepUp.give('wrong');
  stepUp.giveUp();
  expect(await waiting).toBe(false);
  void stepUp.ask();
  expect([stepUp.isAsking.value, stepUp.refused.value]).toEqual([true, null]);
  expect(caller.calls).toHaveLength(1);
});

test.each([
  ['is too old', 119, true],
  ['counts long enough', 120, false],
  ['is never asked for by this server', null, false],
])('before a long work nobody is asked unless the last time %s', async (_, left, isAsked) => {
  const { stepUp } = open(left);
  const ready = stepUp.ensure(120);
  await Promise.resolve();
  if (isAsked) {
    while (!stepUp.isAsking.value) await Promise.resolve();
    await stepUp.give(PASSWORD);
  }
  expect(await ready).toBe(true);
  expect(stepUp.isAsking.value).toBe(false);
});
