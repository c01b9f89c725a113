/**
 * F12: TCP connections that say nothing, or half a head: bounded for each address, and no other
 * address notices.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, within } from '../protocol/harness.js';
import { startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

/** MAX_CONNECTIONS_PER_IP by default. */
const CAP = 500;
const SOCKETS = 600;
/** All of 127.0.0.0/8 are this machine. */
const [FLOODING, CALM] = ['127.0.0.9', '127.0.0.10'];
let node: NodeProcess;
let ada: SignedIn;
let port: number;
const opened: Socket[] = [];

beforeAll(async () => {
  node = await startNode();
  ada = await (await World.create({ base: node.url })).user('ada');
  port = Number(new URL(node.url).port);
});
afterAll(() => {
  for (const socket of opened) socket.destroy();
});

/** A connection, and how it ends. */
function dial(
  localAddress: string,
  first: string,
  onOver: () => void,
): { socket: Socket; over: boolean; connected: Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  opened.push(socket);
  const one = {
    socket,
    over: false,
    connected: new Promise<void>((resolve) =>
      socket.once('connect', resolve).once('close', () => resolve()),
    ),
  };
  socket
    .on('error', () => undefined)
    .on('close', () => {
      one.over = true;
      onOver();
    });
  socket.resume();
  if (first !== '') socket.write(first);
  return one;
}

const refused = async (): Promise<number> =>
  Number(
    /^wardroom_tcp_refused_total\{cap="address"\} (\d+)$/m.exec(
      await (await fetch(`${node.internalUrl}/metrics`)).text(),
    )?.[1] ?? 0,
  );

describe.each([
  ['that send nothing', ''],
  ['that send half a head', 'GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgra'],
  [
    'that send half a body',
    'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
  ],
])(`${SOCKETS} TCP connections of one address %s`, (_, first) => {
  test(`are ${CAP}, the others are cut at once; another address connects as ever, and places come back with their end`, async () => {
    const before = await refused();
    let overs = 0;
    let allCut = (): void => undefined;
    const cut = new Promise<void>((resolve) => (allCut = resolve));
    const all = Array.from({ length: SOCKETS }, () =>
      dial(FLOODING, first, () => (overs += 1) === SOCKETS - CAP && allCut()),
    );
    await within(Promise.all(all.map(({ connected }) => connected)), 'every connection answered');
    await within(cut, 'the end of those that were cut');
    expect(await refused()).toBe(before + SOCKETS - CAP);
    expect(all.filter(({ over }) => over)).toHaveLength(SOCKETS - CAP);
    const calm = await RawClient.live(node.wsUrl, ada.token, { localAddress: CALM } as object);
    await calm.settled();
    calm.ws.terminate();
    for (const { socket } of all) socket.destroy();
    const again = await eventually(
      () =>
        RawClient.live(node.wsUrl, ada.token, { localAddress: FLOODING } as object).catch(
          () => null,
        ),
      (client) => client !== null,
      'a place',
    );
    again!.ws.terminate();
  });
});
