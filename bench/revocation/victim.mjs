/**
 * A session with a socket on each node, subscribed to a busy room: what revocation has to silence.
 */
import { WebSocket } from 'ws';
import { call } from './cluster.mjs';

/**
 * @returns {Promise<{ session: string, lastByteMs: () => number, lastRoomFrameMs: () => number,
 * gone: Promise<unknown> }>}
 */
export async function openVictim(nodes, tenant, { email, password }, room) {
  const answer = await call(nodes[0].url, '/v1/auth/login', { body: { tenant, email, password } });
  const sockets = await Promise.all(
    nodes.map((node) => openSocket(node.wsUrl, answer.access_token, room)),
  );
  return {
    session: answer.session_id,
    /** When any of its sockets last heard anything, be it the close itself. */
    lastByteMs: () => Math.max(...sockets.map((socket) => socket.lastByteMs)),
    /** When any of them last heard something of the room. */
    lastRoomFrameMs: () => Math.max(...sockets.map((socket) => socket.lastRoomFrameMs)),
    gone: Promise.all(sockets.map((socket) => socket.gone)),
  };
}

function openSocket(url, token, room) {
  const ws = new WebSocket(url, ['wardroom.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const state = {
    lastByteMs: 0,
    lastRoomFrameMs: 0,
    gone: new Promise((resolve) => ws.once('close', resolve)),
  };
  let transport;
  ws.on('upgrade', (response) => (transport = response.socket));
  // Not before `ws` listens itself: what came with the upgrade would be lost to it.
  ws.on('open', () => transport.on('data', () => (state.lastByteMs = performance.now())));
  return new Promise((resolve, reject) => {
    ws.once('error', reject);
    ws.once('close', (code, reason) =>
      reject(new Error(`closed before it was subscribed: ${code} ${String(reason)}`)),
    );
    ws.on('message', (data) => {
      const { type } = JSON.parse(String(data));
      if (type === 'auth_ok') ws.send(JSON.stringify({ type: 'subscribe', room }));
      else if (type === 'subscribed') resolve(state);
      else if (type === 'error') reject(new Error(String(data)));
      else if (type === 'signal') state.lastRoomFrameMs = performance.now();
    });
  });
}

/**
 * Somebody who talks on a node, so that a socket that is not dead is never silent for long; needs
 * no store while the node has its lease.
 */
export function startTalking(node, token, room, everyMs) {
  let ws;
  const timer = setInterval(() => {
    if (ws?.readyState === WebSocket.OPEN)
      ws.send(JSON.stringify({ type: 'signal', room, kind: 'talk', body: 'still here?' }));
  }, everyMs);
  return {
    /** At the start, and after the node has died. */
    async again() {
      ws = new WebSocket(node.wsUrl, ['wardroom.v1'], {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
      });
      ws.on('error', () => undefined);
      await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    },
    stop() {
      clearInterval(timer);
      ws?.terminate();
    },
  };
}
