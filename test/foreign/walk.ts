/**
 * The steps that every foreign client has to do: connect by each carrier it knows, subscribe,
 * publish, see it, and be told the end.
 */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectLegalFrames, within } from '../protocol/harness.js';
import { World, call, nodeA, nodeB, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { Opening, Peer } from './peer.js';

export type Carrier = 'header' | 'subprotocol' | 'ticket' | 'cookie' | 'first message';

export interface ForeignClient {
  open: (opening: Opening) => Promise<Peer>;
  carriers: Carrier[];
  /** Status and reason of a close reach whoever uses it. */
  tellsCloses?: boolean;
}

export function walkWith(
  name: string,
  { open, carriers, tellsCloses = true }: ForeignClient,
): void {
  const origin = process.env['TEST_ALLOWED_ORIGIN']!;
  const peers: Peer[] = [];
  let world: World;
  let ada: SignedIn;

  beforeAll(async () => {
    world = await World.create();
    ada = await world.user('ada');
  });

  afterEach(() => {
    for (const peer of peers.splice(0)) {
      peer.stop();
      expectLegalFrames(peer.frames);
    }
  });

  async function connect(carrier: Carrier, user: SignedIn, base = nodeA()): Promise<Peer> {
    const peer = await open(await openingBy(carrier, user, base));
    peers.push(peer);
    await peer.next(({ type }) => type === 'hello', 'hello');
    if (carrier === 'first message') peer.send(JSON.stringify({ type: 'auth', token: user.token }));
    await peer.next(({ type }) => type === 'auth_ok', 'auth_ok');
    return peer;
  }

  async function openingBy(carrier: Carrier, user: SignedIn, base: string): Promise<Opening> {
    const opening = { url: wsUrl(base), protocols: ['wardroom.v1'] };
    switch (carrier) {
      case 'header':
        return { ...opening, headers: { Authorization: `Bearer ${user.token}` } };
      case 'subprotocol':
        return { ...opening, protocols: ['wardroom.v1', `bearer.${user.token}`] };
      case 'ticket': {
        const { body } = await call(nodeA(), '/v1/auth/ticket', {
          method: 'POST',
          token: user.token,
        });
        return { ...opening, url: `${opening.url}?ticket=${body.ticket}` };
      }
      case 'cookie':
        return { ...opening, headers: { Cookie: `wr_at=${user.token}` }, origin };
      case 'first message':
        return opening;
    }
  }

  async function expectEnd(peer: Peer, code: string): Promise<void> {
    const closed = await within(peer.closed, 'close');
    const goodbye = peer.frames.at(-1);
    expect(goodbye).toEqual({
      type: 'goodbye',
      code,
      action: 'login',
      close_id: expect.any(String),
      message: expect.any(String),
    });
    if (tellsCloses)
      expect(closed).toEqual({
        code: 1008,
        reason: { code, action: 'login', close_id: goodbye.close_id },
      });
  }

  describe(name, () => {
    test.each(carriers)('connects by %s', async (carrier) => {
      const peer = await connect(carrier, ada);
      expect(peer.frames.find(({ type }) => type === 'auth_ok')).toMatchObject({
        user_id: ada.id,
        session_id: ada.session,
      });
    });

    test('subscribes, publishes and sees it, across two nodes', async () => {
      const room = await world.room(ada);
      const [reader, writer] = [
        await connect(carriers[0]!, ada, nodeB()),
        await connect(carriers.at(-1)!, ada),
      ];
      reader.send(JSON.stringify({ type: 'subscribe', room, id: 's' }));
      expect(await reader.next(({ id }) => id === 's', 'subscribed')).toMatchObject({
        type: 'subscribed',
        room,
        role: 'owner',
      });
      writer.send(
        JSON.stringify({
          type: 'publish',
          room,
          op_id: 'o',
          body: { text: 'héllo ☂ 👩‍🚀' },
          id: 'p',
        }),
      );
      const ack = await writer.next(({ id }) => id === 'p', 'ack');
      expect(ack).toMatchObject({ type: 'ack', seq: 1 });
      expect(await reader.next(({ type }) => type === 'message', 'message')).toMatchObject({
        message_id: ack.message_id,
        sender: ada.id,
        body: { text: 'héllo ☂ 👩‍🚀' },
      });
    });

    test('is told why a session ended, by goodbye and by the close', async () => {
      const ben = await world.user('ben');
      const peer = await connect(carriers[0]!, ben);
      await call(nodeB(), '/v1/auth/logout', { method: 'POST', token: ben.token });
      await expectEnd(peer, 'session_revoked');
    });

    test('is told what is wrong with a frame, and of a bad credential', async () => {
      const peer = await connect(carriers[0]!, ada);
      peer.send('this is not JSON');
      expect(await peer.next(({ type }) => type === 'error', 'error')).toMatchObject({
        code: 'invalid_frame',
        action: 'none',
      });
      const stranger = await open({ url: wsUrl(nodeA()), protocols: ['wardroom.v1'] });
      peers.push(stranger);
      await stranger.next(({ type }) => type === 'hello', 'hello');
      stranger.send(JSON.stringify({ type: 'ping' }));
      await expectEnd(stranger, 'auth_missing');
    });
  });
}
