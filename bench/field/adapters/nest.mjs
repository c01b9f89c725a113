import { join } from 'node:path';
import { root } from '../../../scripts/lib/install.mjs';
import { versionOf } from '../packages.mjs';
import { plainClient } from './adapter.mjs';
import { nodeProgram, startApplication } from './application.mjs';

const connect = (port, token) =>
  plainClient({
    url: `ws://127.0.0.1:${port}/ws`,
    token,
    joining: (room, ref) => ({ event: 'join', data: { room, ref } }),
    publishing: (room, body, id, ref) => ({ event: 'publish', data: { room, body, id, ref } }),
    read({ event, data }, seat, ready) {
      if (event === 'welcome') ready();
      else if (event === 'message') seat.message(data.body);
      else if (event === 'done') seat.answer(data.ref, 'accepted');
      else if (event === 'exception') seat.answer(data.cause?.data?.ref, 'refused');
    },
  });

/** @type {import('./adapter.mjs').Adapter} */
export const nest = {
  name: 'nest',
  title: 'Nest gateway',
  nodes: 1,
  docs: [
    'https://docs.nestjs.com/websockets/gateways',
    'https://docs.nestjs.com/websockets/guards',
    'https://docs.nestjs.com/security/authentication',
  ],
  setUp:
    'A gateway on `WsAdapter`; `JwtService` verifies the token when the connection opens, and the guard of the documentation verifies it again before each message. A loop sends to the members of a room.',
  means: { logout: null, remove: null, repeat: null },
  version: () =>
    ['@nestjs/websockets', '@nestjs/platform-ws']
      .map((name) => `${name} ${versionOf(name, join(root, 'node_modules'))}`)
      .join(', '),
  missing: () => undefined,
  start: (folder) =>
    startApplication({ name: 'nest', program: nodeProgram('nest.mjs'), folder, connect }),
};
