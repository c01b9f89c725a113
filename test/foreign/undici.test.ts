/**
 * The WebSocket of undici, which is the one of Node 22 and newer, and as strict as a browser's
 * about the handshake.
 */
import { WebSocket } from 'undici';
import { expect, test } from '@jest/globals';
import { World, nodeA, wsUrl } from '../support/world.js';
import { Peer } from './peer.js';
import type { Opening } from './peer.js';
import { walkWith } from './walk.js';

async function open({ url, headers = {}, protocols = [], origin }: Opening): Promise<Peer> {
  const socket = new WebSocket(url, {
    protocols,
    headers: { ...headers, ...(origin === undefined ? {} : { origin }) },
  });
  const peer = new Peer(
    (text) => socket.send(text),
    () => socket.close(),
  );
  socket.addEventListener('message', ({ data }) => peer.receive(String(data)));
  socket.addEventListener('close', ({ code, reason }) => peer.end(code, reason));
  socket.addEventListener('error', () => undefined);
  return peer;
}

walkWith('undici', {
  open,
  carriers: ['header', 'subprotocol', 'ticket', 'cookie', 'first message'],
});

test('undici sees wardroom.v1 as the protocol, never the credential beside it', async () => {
  const { token } = await (await World.create()).user('ada');
  const socket = new WebSocket(wsUrl(nodeA()), ['wardroom.v1', `bearer.${token}`]);
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  expect(socket.protocol).toBe('wardroom.v1');
  const closed = new Promise<{ code: number; wasClean: boolean }>((resolve) =>
    socket.addEventListener('close', resolve, { once: true }),
  );
  socket.close(1000, 'done');
  expect(await closed).toMatchObject({ code: 1000, wasClean: true });
});
