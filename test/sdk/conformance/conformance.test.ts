/** The JavaScript SDK holds every scripted conversation of sdk/conformance/. */
import { describe, expect, test } from '@jest/globals';
import { ACTIONS, CLOSE_CODES } from '@wardroom/protocol/codes';
import { runCase } from './run-case.js';
import { type Case, scripts } from './script.js';

const all = scripts();

for (const { file, cases } of all)
  describe(file, () => {
    test.each(cases.map((each): [string, Case] => [each.name, each]))('%s', async (_, each) => {
      await runCase(each);
    });
  });

describe('the scripts', () => {
  test('have a case for every close code, with the action and status of the table', () => {
    const closes = all.find(({ file }) => file === 'closes.json')!.cases;
    for (const [code, { action, status }] of Object.entries(CLOSE_CODES)) {
      const found = closes.find(({ name }) => name === `${code}: ${action}`);
      expect(found?.steps).toContainEqual(expect.objectContaining({ step: 'close', status }));
    }
  });

  test('have a refused request for every action', () => {
    const { cases } = all.find(({ file }) => file === 'requests.json')!;
    const sent = cases.flatMap(({ steps }) => steps.flatMap(({ frames }) => frames ?? []));
    expect(new Set(sent.flatMap(({ action }) => action ?? []))).toEqual(
      new Set(Object.keys(ACTIONS)),
    );
  });

  test.each<[string, Case]>([
    ['a frame that does not come', { name: '', steps: [{ step: 'accept' }] }],
    [
      'a result that is another',
      {
        name: '',
        steps: [
          {
            step: 'call',
            do: 'publish',
            room: 'lobby',
            args: { body: { $repeat: 'x', times: 4e4 } },
          },
          { step: 'result', of: 'publish', error: { code: 'muted' } },
        ],
      },
    ],
    ['a step that does not exist', { name: '', steps: [{ step: 'hope' }] }],
  ])('fail at %s', async (_, wrong) => {
    await expect(runCase(wrong)).rejects.toThrow(/^step \d/);
  });
});
