/** A short life of a client, and the part of the scripted server in it. */
import type { ScriptedServer } from '../sdk/scripted-server.js';

/** It connects, subscribes, publishes, and hears its own message. */
export const LIFE = `
async function life(lib, url, options) {
  const client = new lib.WardroomClient({ url, getToken: () => 'a-token', ...options });
  const lobby = client.room('lobby');
  const heard = new Promise((resolve) => lobby.on('message', ({ body }) => resolve(body)));
  await client.connect();
  await lobby.subscribe();
  const { seq } = await lobby.publish('hello');
  const body = await heard;
  client.close();
  return 'published as ' + seq + ', heard ' + body;
}`;
export const LIVED = 'published as 1, heard 1';

/** The server's part of that life. */
export async function serveLife(server: ScriptedServer): Promise<void> {
  const peer = await server.peers.next();
  await peer.welcome();
  await peer.subscribed({ seq: 0 });
  const frame = await peer.next('publish');
  peer.message(1);
  peer.ack(frame, 1);
}
