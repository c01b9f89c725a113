import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Announcements } from '../../../web/model/announcements.js';

const table = {
  signed_out: { text: (why: string) => `Signed out: ${why}`, politeness: 'assertive' },
  message: { text: (who: string) => `${who} wrote`, politeness: 'polite', delivery: 'settled' },
  copied: { text: () => 'Copied', politeness: 'polite' },
} as const;

describe('announcements', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('are said by intent, as urgently as the table says', () => {
    const said: string[] = [];
    const page = new Announcements(
      () => table,
      (politeness, text) => said.push(`${politeness}: ${text}`),
    );
    page.say('signed_out', 'ended elsewhere');
    page.say('copied');
    expect(said).toEqual(['assertive: Signed out: ended elsewhere', 'polite: Copied']);
  });

  test('of a burst only the last one is said', () => {
    const page = new Announcements(() => table);
    page.say('message', 'ada');
    page.say('message', 'ben');
    expect(page.polite.value).toBe('');
    jest.runAllTimers();
    expect(page.polite.value).toBe('ben wrote');
  });

  test('the same text is said again', () => {
    const page = new Announcements(() => table);
    page.say('copied');
    const first = page.polite.value;
    page.say('copied');
    expect(page.polite.value).not.toBe(first);
  });
});
