/**
 * wscat, the command-line client of the `ws` project. Without a terminal it prints frames only, and
 * of a close nothing.
 */
import { fileURLToPath } from 'node:url';
import { programPeer } from './peer.js';
import type { Opening } from './peer.js';
import { walkWith } from './walk.js';

const wscat = fileURLToPath(new URL('../../node_modules/wscat/bin/wscat', import.meta.url));

async function open({ url, headers = {}, protocols = [], origin }: Opening) {
  const options = [
    ...protocols.flatMap((name) => ['--subprotocol', name]),
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}:${value}`]),
    ...(origin === undefined ? [] : ['--origin', origin]),
  ];
  return programPeer(
    process.execPath,
    [wscat, '--no-color', '--connect', url, ...options],
    (line, peer) => {
      const text = line.replace(/^(> )+/, '');
      if (text.startsWith('{')) peer.receive(text);
    },
  );
}

walkWith('wscat', {
  open,
  carriers: ['header', 'subprotocol', 'ticket', 'cookie', 'first message'],
  tellsCloses: false,
});
