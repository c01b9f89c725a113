import { join } from 'node:path';
import { root } from '../../../scripts/lib/install.mjs';
import { versionOf } from '../packages.mjs';
import { plainClient } from './adapter.mjs';
import { nodeProgram, startApplication } from './application.mjs';

/** The frames of `servers/bare-ws.mjs`. */
export const connectBare = (port, token) =>
  plainClient({
    url: `ws://127.0.0.1:${port}/`,
    token,
    readyAtOpen: true,
    joining: (room, ref) => ({ type: 'join', room, ref }),
    publishing: (room, body, id, ref) => ({ type: 'publish', room, body, id, ref }),
    read(frame, seat) {
      if (frame.type === 'message') seat.message(frame.body);
      else if (frame.type === 'told') seat.tell(frame.what);
      else seat.answer(frame.ref, frame.type === 'done' ? 'accepted' : 'refused');
    },
  });

/** @type {import('./adapter.mjs').Adapter} */
export const bareWs = {
  name: 'bare-ws',
  title: 'bare `ws`',
  nodes: 1,
  docs: ['https://github.com/websockets/ws/blob/master/README.md'],
  setUp:
    'The token is verified at the upgrade ("Client authentication"), a loop sends to the members of a room ("Server broadcast"), and a ping every 30 s finds broken connections.',
  means: { logout: null, remove: null, repeat: null },
  version: () => `ws ${versionOf('ws', join(root, 'node_modules'))}`,
  missing: () => undefined,
  start: (folder) =>
    startApplication({
      name: 'bare-ws',
      program: nodeProgram('bare-ws.mjs'),
      folder,
      connect: connectBare,
    }),
};
