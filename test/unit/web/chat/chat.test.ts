/** The chat as its page sees it: sessions, links, rooms and what is told of them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ROOM } from '../../../sdk/scripted-server.js';
import { BEN, ChatStage, OTHER } from './chat-stage.js';

let stage: ChatStage;
beforeEach(async () => {
  stage = await ChatStage.start();
});
afterEach(() => stage.stop());

const open = () => stage.chat.open.value!;

describe('signing in', () => {
  test('keeps the workspace for the next time, and no password', async () => {
    await stage.signIn();
    expect([...stage.kept].flat().join()).toContain('acme');
    expect([...stage.kept].flat().join()).not.toContain('a password');
    expect(stage.chat.signIn.password.value).toBe('');
  });

  test('says that a link is dead, which a person cannot tell from "not found"', async () => {
    stage.chat.signIn.open({ kind: 'reset', code: 'wr_pwr_used', tenant: 'acme' });
    stage.answers.set('POST /v1/auth/password/reset', 404);
    expect(await stage.chat.signIn.submit()).toBe(false);
    expect(stage.chat.signIn.refused.value).toBe('link_dead');
    expect(stage.chat.why('link_dead')).toMatch(/used, withdrawn or has expired/);
  });

  test('enters the room of an invitation that was followed before', async () => {
    stage.visit('/chat#wr_inv_abc');
    expect(stage.chat.signIn.hasInvite.value).toBe(true);
    stage.answers.set('POST /v1/invites/wr_inv_abc/accept', { room_id: OTHER });
    await stage.signIn();
    expect(stage.gone).toEqual(['/chat', `/chat/${OTHER}`]);
    expect(open().id).toBe(OTHER);
  });

  test('tells that an invitation is dead', async () => {
    stage.visit('/chat#wr_inv_abc');
    stage.answers.set('POST /v1/invites/wr_inv_abc/accept', 404);
    await stage.signIn();
    expect(stage.told).toEqual([stage.chat.why('link_dead')]);
  });
});

describe('a session that ends', () => {
  test('locks what is written, keeps it, and shows no text of the rooms any more', async () => {
    await stage.signIn();
    open().composer.write('half');
    await stage.ends((peer) => peer.goodbye('session_revoked'));
    await stage.settled();
    expect(stage.chat.banner.value).toMatchObject({ kind: 'signed_out', tone: 'bad' });
    expect(open().lock.value).toBe('signed_out');
    expect(open().composer.submit()).toBe(false);
    expect(stage.chat.sidebar.value.rooms.every(({ preview }) => preview === null)).toBe(true);
    await stage.signIn();
    await stage.settled();
    expect([open().lock.value, open().composer.text.value]).toEqual(['open', 'half']);
  });

  test('by a suspension is no reason to sign in again', async () => {
    await stage.signIn();
    await stage.ends((peer) => peer.goodbye('user_suspended'));
    await stage.settled();
    expect([stage.chat.banner.value.kind, open().lock.value]).toEqual(['stopped', 'stopped']);
  });

  test('by one’s own sign-out leaves the page to whoever comes next', async () => {
    await stage.signIn();
    open().composer.write('mine');
    stage.answers.set('POST /v1/auth/logout', { id: 'r', effective: true });
    await stage.chat.signOut();
    expect([stage.chat.me.value, stage.chat.open.value]).toEqual([null, null]);
    expect(stage.chat.rooms.value.rooms).toEqual([]);
  });
});

describe('the banner', () => {
  test('counts down to the next attempt, and goes when the connection is back', async () => {
    await stage.signIn();
    await stage.ends((peer) => peer.goodbye('restarting', { retry_after_ms: 8_000 }));
    await stage.settled(700);
    const { kind, title, retryInSeconds } = stage.chat.banner.value;
    expect([kind, title]).toEqual(['offline', 'Restarting']);
    await stage.settled(3_000);
    expect(stage.chat.banner.value.retryInSeconds).toBe(retryInSeconds! - 3);
    expect(open().lock.value).toBe('open');
    stage.clock.advance(10_000);
    await stage.connected();
    expect(stage.chat.banner.value.kind).toBe('none');
  });

  test('of a short trouble is never seen', async () => {
    await stage.signIn();
    await stage.ends((peer) => peer.cut());
    await stage.settled(100);
    expect(stage.chat.banner.value.kind).toBe('none');
  });

  test('tells a renewal of the sign-in from a server that cannot prove it', async () => {
    await stage.signIn();
    stage.peer.send({ type: 'auth_expired', grace_ms: 9_000 });
    await stage.settled(0);
    expect([stage.chat.banner.value.kind, open().lock.value]).toEqual(['renewing', 'renewing']);
    stage.peer.authOk();
    stage.peer.send({ type: 'paused', code: 'auth_unavailable' });
    await stage.settled(0);
    expect([stage.chat.banner.value.kind, open().lock.value]).toEqual(['paused', 'paused']);
  });
});

describe('another room', () => {
  const news = (fields: object = {}) => ({
    type: 'activity',
    room: OTHER,
    n: 1,
    seq: 1,
    sender: BEN,
    unread: 1,
    mentions: 0,
    at: '2026-11-22T00:00:00.000Z',
    ...fields,
  });

  test('notifies while the page is in the back, and not of the room that is read', async () => {
    await stage.signIn();
    stage.isSeen = false;
    stage.peer.send(news());
    await stage.settled();
    expect(stage.told).toEqual(['notification: Other: Ben wrote in Other']);
    stage.isSeen = true;
    stage.peer.send(news({ room: ROOM, n: 2 }));
    await stage.settled();
    expect(stage.told).toHaveLength(1);
    expect(stage.chat.unread.value).toBeGreaterThan(0);
  });

  test('is opened with a draft of its own', async () => {
    await stage.signIn();
    open().composer.write('for the lobby');
    stage.chat.enter(OTHER);
    expect(open().composer.text.value).toBe('');
    const [row] = stage.chat.sidebar.value.rooms.filter(({ hasDraft }) => hasDraft);
    expect(row?.id).toBe(ROOM);
    stage.chat.enter(ROOM);
    expect(open().composer.text.value).toBe('for the lobby');
  });
});
