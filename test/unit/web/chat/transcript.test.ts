/**
 * The words of a screen reader while the chat is used: scenes in order, compared with a golden
 * file. `UPDATE=1` writes it anew.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { event, ROOM } from '../../../sdk/scripted-server.js';
import { BEN, ChatStage, OTHER } from './chat-stage.js';

const GOLDEN = new URL('./transcript.txt', import.meta.url);

let stage: ChatStage;
beforeAll(async () => {
  stage = await ChatStage.start();
}, 30_000);
afterAll(() => stage.stop());

const from = (sender: string, seq: number, text: string) => ({
  type: 'message',
  ...event(seq),
  n: seq,
  sender,
  kind: 'text',
  op_id: `op${seq}`,
  body: { text },
});
const news = (seq: number, fields: object = {}) => ({
  type: 'activity',
  room: OTHER,
  n: seq,
  seq,
  sender: BEN,
  unread: 1,
  mentions: 0,
  at: '2026-11-22T00:00:00.000Z',
  ...fields,
});
const CAN = ['read', 'presence'];
const ALL = [...CAN, 'publish', 'signal', 'typing', 'react', 'edit_own', 'delete_own'];

const scenes: [string, () => unknown][] = [
  ['nobody is signed in', () => stage.session.start()],
  ['she signs in, and the room is open', () => stage.signIn()],
  ['a message arrives', () => stage.peer.send(from(BEN, 1, 'hello'))],
  ['a burst of messages', () => stage.peer.send(from(BEN, 2, 'one'), from(BEN, 3, 'two'))],
  ['a message in another room', () => stage.peer.send(news(1))],
  ['a mention in another room', () => stage.peer.send(news(2, { mentions: 1 }))],
  ['the room is read elsewhere', () => stage.peer.send(news(2, { unread: 0 }))],
  ['she becomes a reader', () => reader('viewer')],
  ['she may write again', () => rights(ALL, 'member')],
  [
    'the node cannot prove her access',
    () => stage.peer.send({ type: 'paused', code: 'auth_unavailable' }),
  ],
  ['it can again', () => stage.peer.send({ type: 'resumed', code: 'auth_unavailable' })],
  ['a message is refused', () => refuse()],
  ['the connection is lost', () => stage.ends((peer) => peer.cut())],
  ['still no connection', () => stage.settled(400)],
  ['it is back', () => reconnect()],
  [
    'the node restarts',
    () => stage.ends((peer) => peer.goodbye('restarting', { retry_after_ms: 5_000 })),
  ],
  ['it is back again', () => reconnect()],
  [
    'her session is ended in another tab',
    () => stage.ends((peer) => peer.goodbye('session_revoked')),
  ],
  ['she signs in again', () => again()],
  [
    'she is removed from the room',
    () => stage.peer.send({ type: 'unsubscribed', room: ROOM, code: 'removed', action: 'none' }),
  ],
  ['her account is suspended', () => stage.ends((peer) => peer.goodbye('user_suspended'))],
];

function rights(can: string[], role: string): void {
  const view = { ...lobby, can, role };
  stage.answers.set(`GET /v1/rooms/${ROOM}`, view);
  stage.peer.send({ type: 'access', room: ROOM, role, can });
}
const lobby = {
  id: ROOM,
  name: 'Lobby',
  slug: null,
  visibility: 'private',
  posting: 'members',
  topic: null,
  archived: false,
  kinds: {},
};
const reader = (role: string) => rights(CAN, role);

async function refuse(): Promise<void> {
  stage.chat.open.value!.composer.write('too much');
  stage.chat.open.value!.composer.submit();
  await stage.settled(0);
  stage.peer.error(stage.published.at(-1)!, 'muted');
}

async function reconnect(): Promise<void> {
  stage.clock.advance(10_000);
  await stage.connected();
}

async function again(): Promise<void> {
  stage.chat.signIn.again();
  await stage.signIn();
}

test('a screen reader says what the golden file says', async () => {
  const lines: string[] = [];
  for (const [scene, act] of scenes) {
    await act();
    await stage.settled();
    lines.push(`# ${scene}`, ...stage.heard().map((text) => `  ${text}`));
  }
  const transcript = `${lines.join('\n')}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(GOLDEN, transcript);
  expect(transcript).toBe(readFileSync(GOLDEN, 'utf8'));
}, 60_000);
