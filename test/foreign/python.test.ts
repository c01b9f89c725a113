/**
 * Python's `websockets`. Skipped, with the reason printed, where /usr/bin/python3 does not have it.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testWith } from '../support/needs.js';
import { programPeer } from './peer.js';
import type { Opening } from './peer.js';
import { walkWith } from './walk.js';

const PYTHON = '/usr/bin/python3';
const script = fileURLToPath(new URL('./peer.py', import.meta.url));
const found = spawnSync(PYTHON, ['-c', 'import websockets'], { encoding: 'utf8' });

async function open(opening: Opening) {
  return programPeer(PYTHON, [script, JSON.stringify(opening)], (line, peer) => {
    const said = JSON.parse(line);
    if (said.frame === undefined) peer.end(said.code, said.reason);
    else peer.receive(JSON.stringify(said.frame));
  });
}

if (found.status === 0)
  walkWith('Python websockets', {
    open,
    carriers: ['header', 'subprotocol', 'ticket', 'cookie', 'first message'],
  });
else {
  const why = found.error?.message ?? found.stderr.trim().split('\n').at(-1)!;
  testWith({ met: false, reason: why }, 'Python websockets')(
    `Python websockets (${why})`,
    () => undefined,
  );
}
