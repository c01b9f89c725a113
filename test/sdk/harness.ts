import { afterEach, beforeEach } from '@jest/globals';
import { WebSocket } from 'ws';
import { type ClientOptions, WardroomClient } from '@wardroom/client';
import type { Room, RoomEvents } from '@wardroom/client';
import { ManualClock } from './manual-clock.js';
import { Queue } from './queue.js';
import { type Json, type Peer, ScriptedServer } from './scripted-server.js';

/** Per test: one server, one clock, and every client closed at the end. */
export function harness() {
  const clients: WardroomClient[] = [];
  const h = {
    server: undefined as unknown as ScriptedServer,
    clock: undefined as unknown as ManualClock,
    /** Why tokens were asked for, in order. */
    asked: [] as string[],

    client(options: Partial<ClientOptions> = {}): WardroomClient {
      let count = 0;
      const getToken = (reason: string) => {
        h.asked.push(reason);
        return `token-${++count}`;
      };
      const source = options.session ? {} : { getToken };
      const fixed = { url: h.server.url, webSocket: WebSocket, clock: h.clock, random: () => 0.5 };
      const client = new WardroomClient({ ...fixed, ...source, ...options });
      clients.push(client);
      return client;
    },

    /** A client that is connected, and the server's side of it. */
    async connected(
      options: Partial<ClientOptions> = {},
      authOk: Json = {},
    ): Promise<{ client: WardroomClient; peer: Peer }> {
      const client = h.client(options);
      const live = client.connect();
      const peer = await h.server.peers.next();
      await peer.welcome(authOk);
      await live;
      return { client, peer };
    },

    /** Frames are handled in order: once this one was, all before it were. */
    async handled(client: WardroomClient, peer: Peer): Promise<void> {
      const seen = client.once('error');
      peer.send({
        type: 'error',
        code: 'internal',
        action: 'retry',
        message: 'a mark of the test',
      });
      await seen;
    },

    /** Nothing the client wrote waits unread: a signal it sends now is the next frame. */
    async nothingSent(client: WardroomClient, peer: Peer): Promise<void> {
      await h.handled(client, peer);
      const signal = client.room('lobby').signal('mark', null);
      peer.ack(await peer.next('signal'), 0);
      await signal;
    },

    /** Lets the announced wait pass; answers the server's side of the next connection. */
    async reconnected(client: WardroomClient, lose: () => void): Promise<Peer> {
      const waiting = client.once('waiting');
      lose();
      h.clock.advance((await waiting).delayMs);
      const peer = await h.server.peers.next();
      await peer.welcome();
      return peer;
    },

    /** A subscribed room at `seq`, with its events queued as `[name, seq]`. */
    async subscribed(
      client: WardroomClient,
      peer: Peer,
      seq: number,
    ): Promise<{ room: Room; events: Queue<unknown[]> }> {
      const room = client.room('lobby');
      const events = new Queue<unknown[]>();
      for (const name of ['message', 'message_edited', 'message_deleted', 'reaction'] as const)
        room.on(name, (frame) => events.push([name, frame.seq]));
      for (const name of ['gap', 'reset', 'unsubscribed'] as const) {
        room.on(name, (frame: RoomEvents['gap' | 'reset' | 'unsubscribed']) =>
          events.push([name, frame]),
        );
      }
      const subscribed = room.subscribe();
      await peer.subscribed({ seq });
      await subscribed;
      return { room, events };
    },
  };
  beforeEach(async () => {
    h.server = await ScriptedServer.start();
    h.clock = new ManualClock();
    h.asked = [];
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await h.server.stop();
  });
  return h;
}
