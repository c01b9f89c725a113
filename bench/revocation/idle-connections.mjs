/**
 * Connections that do nothing, in a process of their own: `node idle-connections.mjs`, told over IPC
 * `{urls, token, count}`; answers `{open}` when they are there, and `{lost}` whenever one ends. They end with the process.
 */
import { WebSocket } from 'ws';

const AT_ONCE = 100;
let lost = 0;

process.on('message', (task) => void openAll(task));
process.on('disconnect', () => process.exit(0));

async function openAll({ urls, token, count }) {
  let started = 0;
  let open = 0;
  const enter = async () => {
    while (started < count) {
      const url = urls[started % urls.length];
      started += 1;
      if (await connect(url, token)) open += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enter));
  process.send({ open });
}

function connect(url, token) {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, ['wardroom.v1'], { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    ws.on('message', (data) => {
      if (String(data).startsWith('{"type":"auth_ok"')) resolve(true);
    });
    ws.on('error', () => resolve(false));
    ws.on('close', () => {
      resolve(false);
      lost += 1;
      process.send({ lost });
    });
  });
}
