/** Messages as rows, rooms as a list, and the address of the page. */
import { describe, expect, test } from '@jest/globals';
import type { MyRoom, PersonView, TimelineMessage } from '@wardroom/client';
import { pathOf, readAddress } from '../../../../web/model/chat/address.js';
import { layOut, reuse } from '../../../../web/model/chat/layout.js';
import { findIn, sidebarOf, unreadTotal } from '../../../../web/model/chat/sidebar.js';

const message = (n: number, fields: object = {}): TimelineMessage<unknown> => ({
  key: `k${n}`,
  id: `m${n}`,
  seq: n,
  n,
  sender: 'ben',
  mine: false,
  kind: 'text',
  body: { text: `${n}` },
  at: new Date(2026, 10, 30, 12, 0, n).toISOString(),
  editedAt: null,
  deletedAt: null,
  replyTo: null,
  mentions: null,
  reactions: [],
  opId: `o${n}`,
  state: 'stored',
  error: undefined,
  ...fields,
});
const kinds = (rows: ReturnType<typeof layOut>) =>
  rows.map((row) => (row.kind === 'message' ? row.message.id : row.kind));

describe('the rows of a room', () => {
  test('begin each day, and join what one person says at a time', () => {
    const rows = layOut(
      [
        message(1, { at: new Date(2026, 10, 29, 23, 59).toISOString() }),
        message(2),
        message(3),
        message(4, { at: new Date(2026, 10, 30, 12, 30).toISOString() }),
        message(5, { at: new Date(2026, 10, 30, 12, 31).toISOString(), sender: 'ada' }),
      ],
      null,
    );
    expect(kinds(rows)).toEqual(['day', 'm1', 'day', 'm2', 'm3', 'm4', 'm5']);
    const continued = rows.filter((row) => row.kind === 'message' && row.isContinued);
    expect(kinds(continued)).toEqual(['m3']);
  });

  test('have one line where new messages of others begin, and none above what nobody had read', () => {
    const messages = [message(1), message(2, { mine: true }), message(3), message(4)];
    expect(kinds(layOut(messages, 1))).toEqual(['day', 'm1', 'm2', 'new', 'm3', 'm4']);
    expect(kinds(layOut(messages, 0))).not.toContain('new');
    expect(kinds(layOut(messages, 4))).not.toContain('new');
  });

  test('stay the same objects until something of them changes', () => {
    const messages = [message(1), message(2), message(3)];
    const before = reuse([], layOut(messages, null));
    const after = reuse(before, layOut([...messages, message(4, { replyTo: 'm2' })], null));
    expect(after.map((row, at) => row === before[at])).toEqual([true, true, false, true, false]);
  });

  test('count the replies that are there', () => {
    const replies = [message(2, { replyTo: 'm1' }), message(3, { replyTo: 'm1', deletedAt: 'x' })];
    expect(layOut([message(1), ...replies], null)[1]).toMatchObject({ replies: 1 });
  });
});

const room = (id: string, fields: object = {}): MyRoom =>
  ({
    room: { id, name: id, visibility: 'public', slug: null },
    last_message: null,
    unread: 0,
    mentions: 0,
    favourite: false,
    notify: 'all',
    peer: null,
    ...fields,
  }) as unknown as MyRoom;
const ben = { id: 'ben', name: 'Ben' };
const direct = { room: { id: 'd', visibility: 'direct', name: '' }, peer: ben };
const person = (id: string, name: string, state = 'active') =>
  ({ id, name, state, status: null, avatar: null }) as PersonView;

describe('the list of rooms', () => {
  test('has favourites, rooms and people, each in the order of activity', () => {
    const mine = [room('a'), room('d', direct), room('b', { favourite: true }), room('c')];
    const {
      favourites,
      rooms,
      direct: people,
    } = sidebarOf(mine, (id) => id === 'c', new Set(['ben']));
    expect(favourites.map(({ id }) => id)).toEqual(['b']);
    expect(rooms.map(({ id, hasDraft }) => [id, hasDraft])).toEqual([
      ['a', false],
      ['c', true],
    ]);
    expect(people.map(({ name, kind, isHere }) => [name, kind, isHere])).toEqual([
      ['Ben', 'direct', true],
    ]);
  });

  test('counts as unread what its person wants to be told', () => {
    const counts = { unread: 5, mentions: 2 };
    expect(
      unreadTotal([
        room('a', counts),
        room('b', { ...counts, notify: 'mentions' }),
        room('c', { ...counts, notify: 'none' }),
      ]),
    ).toBe(7);
    const [row] = sidebarOf(
      [room('b', { unread: 5, notify: 'mentions' })],
      () => false,
      new Set(),
    ).rooms;
    expect(row).toMatchObject({ isQuiet: true });
  });

  test('finds rooms and people, and no person twice', () => {
    const people = [person('ben', 'Ben'), person('bea', 'Bea'), person('bob', 'Bob', 'suspended')];
    expect(findIn('b', [room('lobby'), room('d', direct)], people, 'me')).toMatchObject([
      { kind: 'direct', name: 'Ben' },
      { kind: 'room', name: 'lobby' },
      { kind: 'person', name: 'Bea' },
    ]);
  });
});

describe('the address', () => {
  const read = (pathname: string, search = '', hash = '') =>
    readAddress('/x/chat', { pathname, search, hash });

  test('names a room and a message in it', () => {
    expect(read('/x/chat/lobby', '?at=12')).toEqual({ room: 'lobby', at: 12, link: null });
    expect(pathOf('/x/chat', 'lobby', 12)).toBe('/x/chat/lobby?at=12');
    expect(read('/x/chat')).toEqual({ room: null, at: null, link: null });
  });

  test.each(['invite', 'register', 'reset'] as const)('carries a link: %s', (kind) => {
    const [code, hash] = ['wr_abc-123', `#${kind}=wr_abc-123`];
    expect(read('/x/chat', '', hash).link).toEqual({ kind, code, tenant: null });
    expect(read('/x/chat', '?tenant=acme', hash).link).toEqual({ kind, code, tenant: 'acme' });
    expect(read('/x/chat', '?tenant=<b>', hash).link).toEqual({ kind, code, tenant: null });
  });

  test.each([
    ['/x/chat/a/b', '', ''],
    ['/x/chat/<b>', '', ''],
    ['/x/chat/', '?at=-1', '#reset=<b>'],
    ['/other', '?at=1e99', '#unknown=1'],
  ])('holds nothing else: %s%s%s', (path, search, hash) => {
    expect(read(path, search, hash)).toEqual({ room: null, at: null, link: null });
  });
});
