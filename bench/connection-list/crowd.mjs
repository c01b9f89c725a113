/** A process that holds connections open: it is told where, and with which tokens. */
import { WebSocket } from 'ws';

const OPENING = 50;

process.once('message', ({ urls, tokens }) => void openAll(urls, tokens));
process.once('disconnect', () => process.exit(0));

async function openAll(urls, tokens) {
  const failures = {};
  for (let first = 0; first < tokens.length; first += OPENING)
    await Promise.all(
      tokens.slice(first, first + OPENING).map(async (token, i) => {
        const why = await open(urls[(first + i) % urls.length], token);
        if (why !== null) failures[why] = (failures[why] ?? 0) + 1;
      }),
    );
  process.send({ failures });
}

/** Null when it is authenticated. */
function open(url, token) {
  const socket = new WebSocket(url, ['wardroom.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  return new Promise((resolve) => {
    socket.once('error', ({ message }) => resolve(message));
    socket.once('close', (code) => resolve(`closed ${code}`));
    socket.on('message', (data) => {
      if (data.toString('latin1').startsWith('{"type":"auth_ok"')) resolve(null);
    });
  });
}
