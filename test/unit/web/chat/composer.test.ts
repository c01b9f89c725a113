/** The line that is written: drafts, replies, edits, mentions, and what a lock leaves alone. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { WardroomError, type TimelineMessage } from '@wardroom/client';
import { Composer, type ComposerPort } from '../../../../web/model/chat/room/composer.js';
import { Drafts } from '../../../../web/model/chat/room/drafts.js';
import { EVERYBODY } from '../../../../web/model/chat/room/mentions.js';

const own = { id: 'm1', body: { text: 'old' }, sender: 'me' } as TimelineMessage<unknown>;
const people = [
  { id: 'b', name: 'Ben' },
  { id: EVERYBODY, name: EVERYBODY },
];

let kept: Map<string, string>;
let area: ConstructorParameters<typeof Drafts>[0];
let drafts: Drafts;
let sent: unknown[];
let edits: unknown[];
let edit: ComposerPort['edit'];
const locked: { value: string | null } = { value: null };
let composer: Composer;

const made = () =>
  new Composer(
    'lobby',
    {
      send: (text, options) => sent.push([text, options]),
      edit: (...all) => edit(...all),
      typed: () => sent.push('typed'),
      stopped: () => undefined,
      lastOwn: () => own,
      people: () => people,
      locked,
    },
    drafts,
  );

beforeEach(() => {
  kept = new Map();
  area = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
  drafts = new Drafts(area);
  drafts.of('me');
  [sent, edits] = [[], []];
  edit = (...all) => Promise.resolve(edits.push(all));
  locked.value = null;
  composer = made();
});

describe('a message', () => {
  test('is sent with the people it names, and its draft is gone', () => {
    composer.write('hi @Ben');
    expect(composer.submit()).toBe(true);
    expect(sent).toEqual(['typed', ['hi @Ben', { mentions: ['b'] }]]);
    expect([composer.text.value, drafts.get('lobby')]).toEqual(['', '']);
  });

  test('may name everybody', () => {
    composer.write(`@${EVERYBODY} look`);
    composer.submit();
    expect(sent.at(-1)).toEqual([`@${EVERYBODY} look`, { mentions: 'room' }]);
  });

  test('of spaces is none', () => {
    composer.write('  \n ');
    expect(composer.submit()).toBe(false);
  });

  test('that is locked is neither sent nor lost', () => {
    composer.write('important');
    locked.value = 'signed_out';
    expect(composer.submit()).toBe(false);
    expect([composer.text.value, drafts.get('lobby')]).toEqual(['important', 'important']);
  });

  test('may answer another one, which Escape takes back', () => {
    composer.reply(own);
    composer.write('yes');
    composer.submit();
    expect(sent.at(-1)).toEqual(['yes', { replyTo: 'm1' }]);
    composer.reply(own);
    expect([composer.stop(), composer.replyTo.value, composer.stop()]).toEqual([true, null, false]);
  });
});

test('a completion puts the name in place of what was begun', () => {
  composer.write('a @b c', 4);
  expect(composer.completion.value?.people).toEqual([people[0]]);
  expect(composer.complete()).toBe(7);
  expect([composer.text.value, composer.completion.value]).toEqual(['a @Ben c', null]);
});

describe('an edit', () => {
  test('takes the newest of one’s own, and gives the draft back afterwards', async () => {
    composer.write('a draft');
    expect(composer.edit()).toBe(true);
    expect(composer.text.value).toBe('old');
    composer.write('new');
    composer.submit();
    await Promise.resolve();
    expect(edits).toEqual([['m1', { text: 'new' }]]);
    await Promise.resolve();
    expect([composer.editing.value, composer.text.value]).toEqual([null, 'a draft']);
  });

  test('that was refused stays, with the reason', async () => {
    edit = () => Promise.reject(new WardroomError('muted'));
    composer.edit();
    composer.write('new');
    composer.submit();
    await new Promise(setImmediate);
    expect([composer.refused.value, composer.text.value]).toEqual(['muted', 'new']);
  });
});

describe('drafts', () => {
  test('are kept over a reload, each user’s own', () => {
    composer.write('half a sentence');
    const later = new Drafts(area);
    later.of('somebody else');
    expect(later.get('lobby')).toBe('');
    later.of('me');
    expect(later.get('lobby')).toBe('half a sentence');
  });

  test('come back to an empty line when somebody has signed in again', () => {
    composer.write('half');
    const other = made();
    other.restore();
    expect(other.text.value).toBe('half');
  });

  test('of another tab are left alone', () => {
    const tab = new Drafts(area);
    tab.of('me');
    composer.write('of this tab');
    tab.set('other room', 'of the other tab');
    composer.write('of this tab, more');
    const later = new Drafts(area);
    later.of('me');
    expect([later.get('lobby'), later.get('other room')]).toEqual([
      'of this tab, more',
      'of the other tab',
    ]);
  });

  test('are the newest fifty, whatever is kept', () => {
    for (let i = 0; i < 60; i += 1) drafts.set(`room ${i}`, 'x');
    expect([drafts.get('room 9'), drafts.get('room 10')]).toEqual(['', 'x']);
    kept.set('wardroom.chat.drafts:b', '{"not":"a list"}');
    drafts.of('b');
    expect(drafts.get('room 10')).toBe('');
  });

  test('live on in memory where a browser keeps nothing', () => {
    area.setItem = () => {
      throw new Error('full');
    };
    composer.write('still here');
    drafts.set('other room', 'and here');
    expect([drafts.get('lobby'), drafts.get('other room')]).toEqual(['still here', 'and here']);
  });
});
